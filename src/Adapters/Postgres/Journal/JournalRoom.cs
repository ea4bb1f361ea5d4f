namespace Coordinator.Adapters.Postgres.Journal;

/// <summary>
/// Whether appends are refused for want of room on the database's disk: written by whoever appends, read by the host's readiness, whose own question
/// only reads and would be answered. Where nobody appends nothing is known, so what was met is believed for <see cref="Believed"/>.
/// </summary>
internal sealed class JournalRoom(TimeProvider time)
{
    public static readonly TimeSpan Believed = TimeSpan.FromSeconds(10);

    private volatile Refusal? last;

    /// <summary>An append was refused, with these words.</summary>
    public void Refused(string why) => last = new(why, time.GetTimestamp());

    /// <summary>An append was written.</summary>
    public void Written()
    {
        if (last is not null) last = null;
    }

    /// <summary>Null when there is room, as far as is known.</summary>
    public string? WhyNone() => last is { } refusal && time.GetElapsedTime(refusal.At) < Believed
        ? $"The database has no room on its disk for what is written, and is only read. Make room; writes go on by themselves. {refusal.Why}"
        : null;

    private sealed record Refusal(string Why, long At);
}
