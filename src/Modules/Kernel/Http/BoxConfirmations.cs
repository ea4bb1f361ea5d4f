using System.Collections.Concurrent;

namespace Coordinator.Modules.Kernel.Http;

/// <summary>
/// Remembers for two seconds that a session wanted a box, so that a burst of calls (packages, model calls) asks it once.
/// Only a yes is remembered: a box that is refused is refused at once, one that is no longer wanted at most this much
/// later.
/// </summary>
public sealed class BoxConfirmations(TimeProvider time)
{
    /// <summary>How long a yes may be used again.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(2);

    private const int MaxKept = 4_096;

    private readonly ConcurrentDictionary<string, (long Since, AuthorizedBox Box)> kept = new(StringComparer.Ordinal);

    internal AuthorizedBox? Find(ReadOnlyMemory<byte> tokenHash) =>
        kept.TryGetValue(Key(tokenHash), out var entry) && time.GetElapsedTime(entry.Since) < Lifetime ? entry.Box : null;

    /// <summary>Keeps a yes. <paramref name="askedAt"/> is a timestamp from before the session was asked.</summary>
    internal void Keep(AuthorizedBox box, long askedAt)
    {
        if (kept.Count >= MaxKept) kept.Clear();
        kept[Key(box.Credential.TokenHash)] = (askedAt, box);
    }

    internal void Forget(ReadOnlyMemory<byte> tokenHash) => kept.TryRemove(Key(tokenHash), out _);

    internal long Now => time.GetTimestamp();

    private static string Key(ReadOnlyMemory<byte> tokenHash) => Convert.ToHexString(tokenHash.Span);
}
