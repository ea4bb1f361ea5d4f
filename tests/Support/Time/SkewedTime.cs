namespace Coordinator.Tests.Support;

/// <summary>The machine's clock, wrong by as much as a test says. Timers and time stamps, which go by a clock of their own, do not notice.</summary>
public sealed class SkewedTime : TimeProvider
{
    private long skew;

    /// <summary>How far the wall clock is wrong.</summary>
    public TimeSpan Skew
    {
        get => new(Interlocked.Read(ref skew));
        set => Interlocked.Exchange(ref skew, value.Ticks);
    }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Skew;
}
