namespace Coordinator.Ports.Record;

/// <summary>
/// What has changed, by topic, for clients that keep their own copy of a list: each change is a document with the next
/// number of its topic, its watermark. Watermarks start at 1 and have no gap, whoever writes at the same time; who has
/// read up to one has missed nothing below it. A store that was restored to an earlier state goes on above all it ever gave,
/// with its floor there. Everything is an organization's own: its topics are not another's.
/// <para>
/// It is fed from what is durable elsewhere, never inside a journal's append, and never holds authority: what is lost or
/// purged here can be told again.
/// </para>
/// </summary>
[Port(Plane.Record)]
public interface IEventFeed
{
    /// <summary>
    /// Publishes documents, in their order, to the topics they name: all of them or none. Idempotent: a document that its
    /// topic has had in this version, or in a later one, changes nothing, after a purge too. Returns the head of every
    /// topic named. Nobody reads a document, and nobody is woken for it, before it is durable.
    /// </summary>
    /// <exception cref="PortException">
    /// <see cref="PortFailureKind.Rejected"/>: a document is against <see cref="FeedRules"/>; nothing was published.
    /// </exception>
    ValueTask<IReadOnlyDictionary<string, long>> PublishAsync(OrganizationId organization, IReadOnlyList<FeedDocument> documents, CancellationToken cancellationToken);

    /// <summary>
    /// What follows <paramref name="after"/> in a topic, at most <paramref name="limit"/> (1 or more) documents, without a
    /// gap. A topic nobody has published to is empty with its head at 0. Problem: <c>stale_cursor</c>
    /// (<see cref="FeedProblems.StaleCursor"/>) when <paramref name="after"/> is below the floor, however little is left of
    /// the topic, or above the head.
    /// </summary>
    /// <exception cref="PortException"><see cref="PortFailureKind.Corrupt"/>: a document is not what was published.</exception>
    ValueTask<Result<FeedPage>> ReadAsync(OrganizationId organization, string topic, long after, int limit, CancellationToken cancellationToken);

    /// <summary>Where a topic stands; both 0 when nobody has published to it.</summary>
    ValueTask<FeedTopic> FindTopicAsync(OrganizationId organization, string topic, CancellationToken cancellationToken);

    /// <summary>
    /// Completes when the head of one of the topics is not (or no longer) the watermark given for it. Implementations
    /// must wake soon after a commit and never before it, and must look again by themselves now and then, so that a lost
    /// wake-up delays and never silences. A topic's name wakes only those who wait in the same organization.
    /// </summary>
    ValueTask WaitAsync(OrganizationId organization, IReadOnlyDictionary<string, long> watermarks, CancellationToken cancellationToken);

    /// <summary>
    /// Removes a topic's documents up to and including <paramref name="through"/>, at most up to its head, and moves its
    /// floor there. The head stays, and the floor never goes back. Returns where the topic stands then.
    /// </summary>
    ValueTask<FeedTopic> PurgeAsync(OrganizationId organization, string topic, long through, CancellationToken cancellationToken);

    /// <summary>
    /// Removes, in all organizations, documents that were published longer than <paramref name="age"/> ago by the store's
    /// own clock, and moves the floors with them. Does a bounded part; returns how many it removed, 0 when nothing is left
    /// to do.
    /// </summary>
    ValueTask<int> ExpireAsync(TimeSpan age, CancellationToken cancellationToken);
}
