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
    /// anybody, so that hosts share the work. With <paramref name="ahead"/> those count too whose wake-up comes that soon.
    /// </summary>
    ValueTask<IReadOnlyList<SessionKey>> ClaimDueAsync(int limit, TimeSpan ahead, TimeSpan hideFor, CancellationToken cancellationToken);
}
