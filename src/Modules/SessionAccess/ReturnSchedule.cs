using System.Security.Cryptography;

namespace Coordinator.Modules.SessionAccess;

/// <summary>
/// Tells each follower that a restart sends away when to come back: at random over a span as long as so many need, so that
/// the host that takes them meets a stream and not a storm. Only the host knows how many there are.
/// </summary>
internal sealed class ReturnSchedule
{
    /// <summary>How many a host takes in a second beside its other work.</summary>
    internal const int PerSecond = 500;

    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(0.4);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    private int following;

    /// <summary>How many follow now, over whatever they follow by.</summary>
    internal int Following => Volatile.Read(ref following);

    public void Joined() => Interlocked.Increment(ref following);

    public void Left() => Interlocked.Decrement(ref following);

    /// <summary>How long one of those who follow now should stay away.</summary>
    public TimeSpan Next() => TimeSpan.FromMilliseconds(RandomNumberGenerator.GetInt32((int)Span(Following).TotalMilliseconds));

    /// <summary>Over how long so many come back.</summary>
    internal static TimeSpan Span(int following)
    {
        var needed = TimeSpan.FromSeconds((double)following / PerSecond);
        return needed < Shortest ? Shortest : needed < Longest ? needed : Longest;
    }
}
