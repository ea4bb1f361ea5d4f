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

    public ValueTask<IReadOnlyList<SessionKey>> ClaimDueAsync(int limit, LookAhead ahead, TimeSpan hideFor, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
        return Faults.Run(
            () =>
            {
                lock (store.Gate) return Claim(limit, ahead, hideFor);
            },
            cancellationToken);
    }

    public async ValueTask UnhideAsync(CancellationToken cancellationToken) => await Faults.Run(
        () =>
        {
            lock (store.Gate)
            {
                var hidden = store.Sessions.Values.Where(session => session.HiddenUntil > store.Now && LifeOf(session) != Life.Lives).ToList();
                foreach (var session in hidden) session.HiddenUntil = null;
                return hidden.Count;
            }
        },
        cancellationToken);

    private IReadOnlyList<SessionKey> Claim(int limit, LookAhead ahead, TimeSpan hideFor)
    {
        var now = store.Now;
        var due = store.Sessions
            .Where(session => session.Value.WakeAt <= now + Ahead(session.Value, ahead) && (session.Value.HiddenUntil is null || session.Value.HiddenUntil <= now))
            .OrderBy(session => session.Value.WakeAt)
            .Take(Math.Min(limit, MostAtOnce))
            .ToList();
        foreach (var (_, entry) in due) entry.HiddenUntil = RingsAgain ? null : now + hideFor;
        return [.. due.Select(session => session.Key)];
    }

    private TimeSpan Ahead(InMemoryJournalStore.Entry session, LookAhead ahead) => LifeOf(session) switch
    {
        Life.Lives => TimeSpan.Zero,
        Life.Dead => ahead.OfDeadHosts > ahead.OfNobody ? ahead.OfDeadHosts : ahead.OfNobody,
        _ => ahead.OfNobody,
    };

    private Life LifeOf(InMemoryJournalStore.Entry session) => session.Host is not { } owner ? Life.Unknown : store.LivesAsHost(owner) switch
    {
        true => Life.Lives,
        false => Life.Dead,
        null => Life.Unknown,
    };

    /// <summary>What the registry says of a session's host.</summary>
    private enum Life
    {
        /// <summary>There is none, or it is none that is registered.</summary>
        Unknown,

        Lives,

        Dead,
    }
}
