namespace Coordinator.Ports.Session;

/// <summary>
/// Tells a host which sessions are due, after a crash too, on any host, at least once: it reads the wake-ups that
/// <see cref="ISessionJournal.AppendAsync"/> wrote, by the store's own clock.
/// </summary>
[Port(Plane.Session)]
public interface IAlarmClock
{
    /// <summary>
    /// Sessions whose wake-up has passed, the longest due first, at most <paramref name="limit"/>. A session stays due
    /// until an append moves its wake-up; one handed out is not handed out again for <paramref name="hideFor"/>, to
    /// anybody, so that hosts share the work. Those that <paramref name="ahead"/> means count too. What another live host
    /// of the registry has is left to it, whether it has it awake or not: nobody else can wake it.
    /// </summary>
    /// <param name="host">Who asks.</param>
    ValueTask<IReadOnlyList<SessionKey>> ClaimDueAsync(HostId host, int limit, LookAhead ahead, TimeSpan hideFor, CancellationToken cancellationToken);

    /// <summary>
    /// Ends the hiding of every session that no live host has: whoever it was handed out to may have died with it in hand.
    /// One that lives after all loses nothing by it; it is only that another may be told as well. Idempotent.
    /// </summary>
    ValueTask UnhideAsync(CancellationToken cancellationToken);
}

/// <summary>Which sessions are due before their time, because nobody may be left to hear what would bring them on sooner.</summary>
/// <param name="OfDeadHosts">Those of a host that died as <see cref="IHostRegistry"/> knows it, when their wake-up comes this soon.</param>
/// <param name="OfNobody">Those that no live host of the registry has, which are all where there is only one host, when their wake-up comes this soon.</param>
public readonly record struct LookAhead(TimeSpan OfDeadHosts, TimeSpan OfNobody)
{
    /// <summary>None.</summary>
    public static LookAhead No => default;
}
