namespace Coordinator.Ports.Session;

/// <summary>
/// Ownership, log and wake-up of a session as one atomic thing. A record is what one append writes: 0..n public
/// events and the facts the session's state is folded from. Versions count records, sequence numbers count public
/// events; neither has gaps.
/// </summary>
[Port(Plane.Session)]
public interface ISessionJournal
{
    /// <summary>
    /// Takes the session for <paramref name="host"/>: a new epoch, so that every older lease is fenced from this moment,
    /// the same host's included. Null when the session does not exist and <paramref name="create"/> is false.
    /// </summary>
    /// <exception cref="PortException">
    /// <see cref="PortFailureKind.Fenced"/>: a peer has found the host dead (<see cref="IHostRegistry"/>), or it has left; or another host that lives has the
    /// session, and this one has not claimed it. Nothing was taken. However late an opening comes, no session is taken back from the host that has it by then.
    /// </exception>
    ValueTask<JournalLease?> OpenAsync(SessionKey key, HostId host, bool create, CancellationToken cancellationToken);

    /// <summary>
    /// Writes record, head, view and wake-up in one atomic statement, if the lease's epoch is the newest and the head's
    /// version is <see cref="JournalAppend.ExpectedVersion"/>; otherwise nothing at all. Appends of other sessions are
    /// never affected. A lost answer is settled by reading the head before this returns.
    /// </summary>
    /// <returns>False when fenced or stale: this activation must end.</returns>
    /// <exception cref="PortException">
    /// <see cref="PortFailureKind.Unavailable"/> and friends with <see cref="PortException.EffectMayHaveHappened"/> false:
    /// not written, may be tried again. With true: unknown even after looking; the activation must end.
    /// <see cref="PortFailureKind.Rejected"/>: the data of this append cannot be stored.
    /// </exception>
    ValueTask<bool> AppendAsync(JournalLease lease, JournalAppend append, CancellationToken cancellationToken);

    /// <summary>Gives the lease up; the head's host becomes empty if the epoch is still this lease's. Idempotent.</summary>
    ValueTask ReleaseAsync(JournalLease lease, CancellationToken cancellationToken);

    /// <summary>
    /// Gives the lease up as <see cref="ReleaseAsync"/> does, of a session that wants work which was left undone: it is due at
    /// once, whatever was to wake it and whoever had been told of it, so that any host may go on with it. Idempotent.
    /// </summary>
    ValueTask HandOverAsync(JournalLease lease, CancellationToken cancellationToken);

    /// <summary>The records of a session with a version above <paramref name="afterVersion"/>, in order, streamed.</summary>
    IAsyncEnumerable<JournalRecord> ReadAsync(SessionKey key, long afterVersion, CancellationToken cancellationToken);

    /// <summary>
    /// The records that hold public events with a sequence number above <paramref name="afterSeq"/>, in order, streamed. Events that are gone are
    /// missing in them: who began at <see cref="SessionHead.Floor"/> or above learns by <see cref="RecordEvents.ReadAfter"/> that they went since.
    /// </summary>
    IAsyncEnumerable<JournalRecord> ReadEventsAsync(SessionKey key, long afterSeq, CancellationToken cancellationToken);

    /// <summary>The head as committed now; null when there is no such session, or nothing was ever appended to it.</summary>
    ValueTask<SessionHead?> FindHeadAsync(SessionKey key, CancellationToken cancellationToken);

    /// <summary>
    /// Heads of an organization, the last created first, those created before <paramref name="before"/> (none when there
    /// is no such session), at most <paramref name="limit"/>. The order is that of creation, not of ids: an id that
    /// derives from an idempotency key holds no time.
    /// </summary>
    ValueTask<IReadOnlyList<SessionHead>> ListHeadsAsync(OrganizationId organization, SessionId? before, int limit, CancellationToken cancellationToken);

    /// <summary>
    /// What the newest session of a repository that has discovered an environment discovered last (JSON text; see
    /// <see cref="JournalAppend.Environment"/>); null when none of the organization's has. Newest by creation, as in lists.
    /// </summary>
    ValueTask<string?> FindEnvironmentAsync(OrganizationId organization, string repository, CancellationToken cancellationToken);

    /// <summary>
    /// Keeps a folded state so that activation need not read from the start. A snapshot above the head's version is
    /// refused; an older one than the stored is ignored.
    /// </summary>
    ValueTask SaveSnapshotAsync(JournalLease lease, JournalSnapshot snapshot, CancellationToken cancellationToken);

    /// <summary>The newest snapshot that was kept, or null. It may be damaged: the records are what counts.</summary>
    ValueTask<JournalSnapshot?> FindSnapshotAsync(SessionKey key, CancellationToken cancellationToken);

    /// <summary>
    /// Removes, in all organizations, the public events of sessions that were last appended to longer than
    /// <paramref name="age"/> ago by the store's own clock, that nobody has open and that no wake-up waits for, archived ones too. Their records
    /// keep the facts, and their <see cref="SessionHead.Floor"/> is then the head's sequence number. Each session is done as a
    /// whole or not at all, and one that is opened meanwhile is met afterwards. Does a bounded part; returns of how many
    /// sessions, 0 when nothing is left to do. What only a host has open that is none any more (<see cref="IHostRegistry"/>; of those that no registry
    /// knows, any but the one as whom this journal opened a session last) nobody has open: it is freed first, its lease fenced and the host found dead.
    /// </summary>
    ValueTask<int> ExpireEventsAsync(TimeSpan age, CancellationToken cancellationToken);

    /// <summary>
    /// Sessions, of all organizations, that sleep since they were last appended to longer than <paramref name="age"/> ago by the store's own
    /// clock, have events, and were not gone through to their end (<see cref="SessionHead.Compacted"/>): at most <paramref name="limit"/> of
    /// those behind <paramref name="after"/> in an order that stays. Nobody has them open, as for <see cref="ExpireEventsAsync"/>, and no wake-up waits for them.
    /// </summary>
    ValueTask<IReadOnlyList<SessionKey>> ListUncompactedAsync(TimeSpan age, SessionKey after, int limit, CancellationToken cancellationToken);

    /// <summary>
    /// Writes records of a session that sleeps in another way that says the same (<see cref="RecordMerge"/>), and how far this has been done:
    /// all of it, if the head is still the one that was read and nobody has the session open or waits to wake it; otherwise nothing.
    /// Version, numbers and time of a record stay as they are. Whoever opens the session meanwhile comes before it or after it.
    /// </summary>
    /// <returns>False when the session is not as it was read, or another host has done it.</returns>
    ValueTask<bool> CompactAsync(JournalCompaction compaction, CancellationToken cancellationToken);

    /// <summary>
    /// Sessions, of all organizations, that sleep since they were last appended to longer than <paramref name="age"/> ago by the store's own
    /// clock and have events in their records: at most <paramref name="limit"/> of those behind <paramref name="after"/> in an order that
    /// stays. Nobody has them open, as for <see cref="ExpireEventsAsync"/>, and no wake-up waits for them.
    /// </summary>
    ValueTask<IReadOnlyList<SessionKey>> ListUnarchivedAsync(TimeSpan age, SessionKey after, int limit, CancellationToken cancellationToken);

    /// <summary>
    /// Notes that a blob is about to be stored that may become an archive, before it is: whatever becomes of who stores it, the blob is named from
    /// then on, by this until it is archived (<see cref="ArchiveAsync"/>) or forgotten. Idempotent.
    /// </summary>
    ValueTask AnnounceArchiveAsync(PendingArchive pending, CancellationToken cancellationToken);

    /// <summary>
    /// Notes that the first events that still stand in a session's records stand in a blob by now, which was announced and is pending no more
    /// from then on, and takes them out of the records, which keep the facts: all of it, if the head is still the one that was read, nobody has
    /// the session open or waits to wake it, and nobody has given the blob up; otherwise nothing. <see cref="SessionHead.Archived"/> is then the
    /// last of them. Whoever opens the session meanwhile comes before it or after it, and so does whoever gives the blob up.
    /// </summary>
    /// <returns>False when the session is not as it was read, another host has done it, or the blob was not announced or was given up: it is no archive and will be none.</returns>
    /// <exception cref="PortException"><see cref="PortFailureKind.Rejected"/>: the archive does not begin where the records do, or ends within one. Nothing was done.</exception>
    ValueTask<bool> ArchiveAsync(SessionHead seen, EventArchive archive, CancellationToken cancellationToken);

    /// <summary>The archive of the first events above <paramref name="afterSeq"/> that stand in one and are not gone; null when there is none.</summary>
    ValueTask<EventArchive?> FindArchiveAsync(SessionKey key, long afterSeq, CancellationToken cancellationToken);

    /// <summary>
    /// Blobs, of all organizations, that were announced longer than <paramref name="age"/> ago by the store's own clock and did not become archives:
    /// each is given up by this, so that it cannot become one any more and may go, and is told again until it is forgotten. At most
    /// <paramref name="limit"/> in an order that stays, behind <paramref name="after"/>; null: from the first. Never one that an archive names.
    /// </summary>
    ValueTask<IReadOnlyList<PendingArchive>> GiveUpArchivesAsync(TimeSpan age, PendingArchive? after, int limit, CancellationToken cancellationToken);

    /// <summary>Forgets a blob that is no archive and will be none, given up or by who announced it, once it is gone. Idempotent.</summary>
    ValueTask ForgetPendingArchiveAsync(PendingArchive pending, CancellationToken cancellationToken);

    /// <summary>Archives, of all organizations, whose events are gone (<see cref="SessionHead.Floor"/>): nobody is told of them any more, so their blobs may go. In an order of their own, behind <paramref name="after"/>; null: from the first.</summary>
    ValueTask<IReadOnlyList<EventArchive>> ListGoneArchivesAsync(EventArchive? after, int limit, CancellationToken cancellationToken);

    /// <summary>Forgets an archive whose events are gone, once its blob is; any other stays. Idempotent.</summary>
    ValueTask ForgetArchiveAsync(EventArchive archive, CancellationToken cancellationToken);
}

/// <summary>Some records of a session anew; up to <see cref="Through"/> nothing is left to be done, beginning behind what <see cref="Seen"/> says is.</summary>
public sealed record JournalCompaction(SessionHead Seen, long Through, IReadOnlyList<JournalRecord> Records);

/// <summary>The right to append to one session, until somebody opens it anew.</summary>
public sealed record JournalLease(SessionKey Key, HostId Host, long Epoch, long Version, long Seq, int Incarnation);

/// <summary>
/// One append. <see cref="EventCount"/> public events take the sequence numbers head.seq + 1 … head.seq + EventCount.
/// <see cref="View"/> is the session's new public view (UTF-8 JSON), or null to leave it as it is.
/// <see cref="WakeAt"/> is when the session must be woken at the latest; null: never.
/// </summary>
public sealed record JournalAppend(
    long ExpectedVersion,
    ReadOnlyMemory<byte> Payload,
    int EventCount,
    DateTimeOffset At,
    DateTimeOffset? WakeAt,
    ReadOnlyMemory<byte>? View)
{
    /// <summary>The environment that this record discovered, written with it; null: what was known of the session's stays.</summary>
    public RepositoryEnvironment? Environment { get; init; }
}

/// <summary>A repository, by its URL, and its environment as JSON text.</summary>
public sealed record RepositoryEnvironment(string Repository, string Json);

/// <summary>One record as stored. <see cref="Schema"/> chooses the upcaster; <see cref="Codec"/> how the payload is packed (see <see cref="RecordEvents"/>).</summary>
public sealed record JournalRecord(long Version, long FirstSeq, long LastSeq, short Schema, short Codec, ReadOnlyMemory<byte> Payload, DateTimeOffset At)
{
    /// <summary>The schema version that this release writes.</summary>
    public const short CurrentSchema = 1;
}

/// <summary>Where a session stands, without its actor: what lists and watchers read.</summary>
public sealed record SessionHead(SessionKey Key, HostId? Host, long Epoch, long Version, long Seq, int Incarnation, DateTimeOffset? WakeAt, ReadOnlyMemory<byte> View)
{
    /// <summary>The public events up to it are gone; 0: all are there.</summary>
    public long Floor { get; init; }

    /// <summary>The version up to which what can be merged of its events is.</summary>
    public long Compacted { get; init; }

    /// <summary>The public events above <see cref="Floor"/> and up to it stand in archives (<see cref="EventArchive"/>) and not in records; 0: none ever did.</summary>
    public long Archived { get; init; }

    /// <summary>Up to it no event stands in a record any more.</summary>
    public long Emptied => Math.Max(Floor, Archived);
}

/// <summary>A folded state and the hash of the shape it was folded into; another shape is refolded from the start.</summary>
public sealed record JournalSnapshot(long Version, long Seq, string ShapeHash, ReadOnlyMemory<byte> State);
