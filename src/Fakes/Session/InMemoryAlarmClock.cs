using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Fakes;

/// <summary>The alarm clock over the journal fake's store, in its (virtual) time. Faults: <see cref="Faults"/>.</summary>
public sealed class InMemoryAlarmClock(InMemoryJournalStore store) : IAlarmClock
{
    public FaultSwitch Faults { get; } = new();

    /// <summary>The most that is handed out at once, whatever is asked.</summary>
    public int MostAtOnce { get; set; } = int.MaxValue;

    /// <summary>True: what was handed out is not hidden, and handed out again by the next claim.</summary>
    public bool RingsAgain { get; set; }

    public ValueTask<IReadOnlyList<SessionKey>> ClaimDueAsync(int limit, TimeSpan ahead, TimeSpan hideFor, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
        return Faults.Run(
            () =>
            {
                lock (store.Gate) return Claim(limit, ahead, hideFor);
            },
            cancellationToken);
    }

    private IReadOnlyList<SessionKey> Claim(int limit, TimeSpan ahead, TimeSpan hideFor)
    {
        var now = store.Now;
        var due = store.Sessions
            .Where(session => session.Value.WakeAt <= now + ahead && (session.Value.HiddenUntil is null || session.Value.HiddenUntil <= now))
            .OrderBy(session => session.Value.WakeAt)
            .Take(Math.Min(limit, MostAtOnce))
            .ToList();
        foreach (var (_, entry) in due) entry.HiddenUntil = RingsAgain ? null : now + hideFor;
        return [.. due.Select(session => session.Key)];
    }
}
