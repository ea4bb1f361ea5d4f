using System.Globalization;
using Coordinator.Ports.Compute.DataPlane;
using Microsoft.Extensions.Options;

namespace Coordinator.SandboxHost.Signing;

/// <summary>
/// Which nonces were used, for as long as a request that carries one could still be fresh. Written down before a request
/// is let in, so that a restart does not let it in again. What a full disk does not take is remembered until then, and said
/// to be no more than that.
/// </summary>
internal sealed partial class NonceBook(IOptions<SandboxHostOptions> options, TimeProvider time, ILogger<NonceBook> logger)
{
    /// <summary>Only who holds a key can fill it; a thousand requests a second for ten minutes fit.</summary>
    private const int Most = 600_000;

    /// <summary>A nonce may come from the allowed skew before to the allowed skew after the clock here.</summary>
    private static readonly long BucketSeconds = 2 * (long)RequestSignature.AllowedSkew.TotalSeconds;

    private readonly string directory = Path.Combine(options.Value.DataDirectory, "nonces");
    private readonly Lock gate = new();
    private readonly SortedDictionary<long, HashSet<string>> buckets = [];

    /// <summary>The last line of a file may be half a one: what a full disk, or a crash, cut off.</summary>
    private bool isTorn = true;
    private bool isFull;

    /// <summary>What became of a nonce.</summary>
    public enum Outcome
    {
        Taken,
        /// <summary>Taken, and not written down: after a restart it is not known.</summary>
        NotWritten,
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
            return TryWrite(FileOf(bucket), entry) ? Outcome.Taken : Outcome.NotWritten;
        }
    }

    private bool TryWrite(string file, string entry)
    {
        try
        {
            File.AppendAllText(file, isTorn ? $"\n{entry}\n" : $"{entry}\n");
            (isTorn, isFull) = (false, false);
            return true;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            if (!isFull) LogNotWritten(failure);
            (isTorn, isFull) = (true, true);
            return false;
        }
    }

    private void Forget()
    {
        var oldest = OldestBucket();
        while (buckets.Count > 0 && buckets.First().Key is var first && first < oldest)
        {
            buckets.Remove(first);
            TryDelete(FileOf(first));
        }
    }

    /// <summary>One that stays is deleted at the next start.</summary>
    private void TryDelete(string file)
    {
        try
        {
            File.Delete(file);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            LogNotDeleted(failure);
        }
    }

    private long OldestBucket() => (time.GetUtcNow() - RequestSignature.AllowedSkew).ToUnixTimeSeconds() / BucketSeconds;

    private string FileOf(long bucket) => Path.Combine(directory, bucket.ToString(CultureInfo.InvariantCulture));

    [LoggerMessage(5412, LogLevel.Error, "A nonce could not be written down. Until one can, boxes are looked at and destroyed here, and none is made.")]
    private partial void LogNotWritten(Exception failure);

    [LoggerMessage(5413, LogLevel.Warning, "Nonces that are out of date could not be deleted; the next start does it.")]
    private partial void LogNotDeleted(Exception failure);
}
