using System.Globalization;
using Coordinator.Ports.Compute.DataPlane;
using Microsoft.Extensions.Options;

namespace Coordinator.SandboxHost.Signing;

/// <summary>
/// Which nonces were used, for as long as a request that carries one could still be fresh. Written down before a request
/// is let in, so that a restart does not let it in again.
/// </summary>
internal sealed class NonceBook(IOptions<SandboxHostOptions> options, TimeProvider time)
{
    /// <summary>Only who holds a key can fill it; a thousand requests a second for ten minutes fit.</summary>
    private const int Most = 600_000;

    /// <summary>A nonce may come from the allowed skew before to the allowed skew after the clock here.</summary>
    private static readonly long BucketSeconds = 2 * (long)RequestSignature.AllowedSkew.TotalSeconds;

    private readonly string directory = Path.Combine(options.Value.DataDirectory, "nonces");
    private readonly Lock gate = new();
    private readonly SortedDictionary<long, HashSet<string>> buckets = [];

    /// <summary>What became of a nonce.</summary>
    public enum Outcome
    {
        Taken,
        UsedBefore,
        /// <summary>So many requests came that no more can be remembered.</summary>
        Full,
    }

    /// <summary>Reads what an earlier process wrote down.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(directory);
        var oldest = OldestBucket();
        foreach (var file in Directory.EnumerateFiles(directory))
        {
            if (!long.TryParse(Path.GetFileName(file), NumberStyles.None, CultureInfo.InvariantCulture, out var bucket)) continue;
            if (bucket < oldest) File.Delete(file);
            else buckets[bucket] = [.. await File.ReadAllLinesAsync(file, cancellationToken)];
        }
    }

    /// <summary>Uses a nonce up.</summary>
    public Outcome Take(RequestSignature signature)
    {
        var bucket = signature.Timestamp / BucketSeconds;
        var entry = $"{signature.KeyId} {signature.Nonce}";
        lock (gate)
        {
            Forget();
            if (buckets.Values.Sum(nonces => nonces.Count) >= Most) return Outcome.Full;
            if (!buckets.TryGetValue(bucket, out var used)) used = buckets[bucket] = new(StringComparer.Ordinal);
            if (!used.Add(entry)) return Outcome.UsedBefore;
            File.AppendAllText(FileOf(bucket), entry + "\n");
            return Outcome.Taken;
        }
    }

    private void Forget()
    {
        var oldest = OldestBucket();
        while (buckets.Count > 0 && buckets.First().Key is var first && first < oldest)
        {
            buckets.Remove(first);
            File.Delete(FileOf(first));
        }
    }

    private long OldestBucket() => (time.GetUtcNow() - RequestSignature.AllowedSkew).ToUnixTimeSeconds() / BucketSeconds;

    private string FileOf(long bucket) => Path.Combine(directory, bucket.ToString(CultureInfo.InvariantCulture));
}
