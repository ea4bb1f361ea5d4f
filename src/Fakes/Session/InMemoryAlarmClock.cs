using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Fakes;

/// <summary>The alarm clock over the journal fake's store, in its (virtual) time. Faults: <see cref="Faults"/>.</summary>
public sealed class InMemoryAlarmClock(InMemoryJournalStore store) : IAlarmClock
{
    private IReadOnlyList<SessionKey> rung = [];

    public FaultSwitch Faults { get; } = new();

    /// <summary>The most that is handed out at once, whatever is asked.</summary>
    public int MostAtOnce { get; set; } = int.MaxValue;

    /// <summary>How often something due was not handed out because of <see cref="MostAtOnce"/>.</summary>
    public int KeptBack { get; private set; }

    /// <summary>True: what was handed out is handed out once more by the next claim, whatever has become of it.</summary>
    public bool RingsAgain { get; set; }

    /// <summary>How often something was handed out a second time because of <see cref="RingsAgain"/>.</summary>
    public int RangAgain { get; private set; }

    public ValueTask<IReadOnlyList<SessionKey>> ClaimDueAsync(HostId host, int limit, LookAhead ahead, TimeSpan hideFor, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
        return Faults.Run(
            () =>
            {
                lock (store.Gate) return Claim(host, limit, ahead, hideFor);
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

    private IReadOnlyList<SessionKey> Claim(HostId host, int limit, LookAhead ahead, TimeSpan hideFor)
    {
        var now = store.Now;
        var due = store.Sessions
            .Where(session => session.Value.Host == host || LifeOf(session.Value) != Life.Lives)
            .Where(session => session.Value.WakeAt <= now + Ahead(session.Value, ahead) && (session.Value.HiddenUntil is null || session.Value.HiddenUntil <= now))
            .OrderBy(session => session.Value.WakeAt)
            .Take(limit)
            .ToList();
        if (due.Count > MostAtOnce)
        {
            KeptBack += due.Count - MostAtOnce;
            due = due[..MostAtOnce];
        }

        foreach (var (_, entry) in due) entry.HiddenUntil = now + hideFor;
        return RingsAgain ? Again([.. due.Select(session => session.Key)], limit) : [.. due.Select(session => session.Key)];
    }

    private IReadOnlyList<SessionKey> Again(IReadOnlyList<SessionKey> now, int limit)
    {
        var again = rung.Except(now).Take(limit - now.Count).ToList();
        (rung, RangAgain) = (now, RangAgain + again.Count);
        return [.. now, .. again];
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
