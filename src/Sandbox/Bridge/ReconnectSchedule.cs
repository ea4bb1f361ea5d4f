namespace Coordinator.Sandbox.Bridge;

/// <summary>
/// How long to wait before the next dial: full jitter over a span that doubles, so that a thousand boxes that lost one
/// host do not come back in the same second.
/// </summary>
/// <param name="longest">1 s where the host is on the same machine, 30 s otherwise.</param>
/// <param name="jitter">A number in [0, 1) at each call.</param>
internal sealed class ReconnectSchedule(TimeSpan longest, Func<double> jitter)
{
    private const int MaxDoublings = 16;
    private static readonly TimeSpan First = TimeSpan.FromSeconds(0.2);
    private int attempts;

    public static TimeSpan LongestOnSameMachine { get; } = TimeSpan.FromSeconds(1);

    public static TimeSpan LongestElsewhere { get; } = TimeSpan.FromSeconds(30);

    /// <summary>The connection stood: the next wait is short again.</summary>
    public void Reset() => attempts = 0;

    public TimeSpan Next()
    {
        var span = First * Math.Pow(2, Math.Min(attempts++, MaxDoublings));
        return (span < longest ? span : longest) * jitter();
    }

    /// <summary>The host said that it restarts and will be back at once.</summary>
    public TimeSpan AtOnce() => First * jitter();
}
