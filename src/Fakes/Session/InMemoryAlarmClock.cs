using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Fakes;

/// <summary>The alarm clock over the journal fake's store, in its (virtual) time. Faults: <see cref="Faults"/>.</summary>
public sealed class InMemoryAlarmClock(InMemoryJournalStore store) : IAlarmClock
{
    public FaultSwitch Faults { get; } = new();

    public ValueTask<IReadOnlyList<SessionKey>> ClaimDueAsync(int limit, TimeSpan hideFor, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
        return Faults.Run(
            () =>
            {
                lock (store.Gate) return Claim(limit, hideFor);
            },
            cancellationToken);
    }

    private IReadOnlyList<SessionKey> Claim(int limit, TimeSpan hideFor)
    {
        var now = store.Now;
        var due = store.Sessions
            .Where(session => session.Value.WakeAt <= now && (session.Value.HiddenUntil is null || session.Value.HiddenUntil <= now))
            .OrderBy(session => session.Value.WakeAt)
            .Take(limit)
            .ToList();
        foreach (var (_, entry) in due) entry.HiddenUntil = now + hideFor;
        return [.. due.Select(session => session.Key)];
    }
}
