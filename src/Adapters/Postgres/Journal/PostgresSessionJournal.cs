using Coordinator.Ports;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Coordinator.Adapters.Postgres.Journal;

/// <summary>
/// The journal in PostgreSQL. Appends of all sessions of the host share statements (<see cref="AppendPipeline"/>), and so do leases that
/// are given back (<see cref="LeaseReturns"/>); everything else is a call of its own, made again while a short outage lasts, because it may be made twice.
/// </summary>
public sealed class PostgresSessionJournal : ISessionJournal, IAsyncDisposable
{
    // A host that a peer has found dead had its sessions taken over: what it still has under way takes none of them back.
    private const string DeadSql = "WITH dead AS (SELECT FROM session_host WHERE id = $3 AND dead)";

    private const string PatienceSql = "patience AS MATERIALIZED (SELECT set_config('lock_timeout', $4, true))";

    // From a host that lives only a claim takes it (IHostRegistry): who opens what was its own a moment ago may find that it is a peer's. Asked of the
    // row as it is once it is free to be changed.
    private const string IsFree = "(h.host IS NULL OR h.host = $3 OR NOT EXISTS (SELECT FROM session_host AS owner WHERE owner.id = h.host AND host_alive(owner)))";

    // Nobody has been told anything of a session that has no record yet: its lease becomes durable with its first, and one that a crash takes is
    // found by that to be none.
    private const string LeaseSql = $"""
        SELECT EXISTS (SELECT FROM dead), epoch, version, seq, incarnation,
            CASE WHEN epoch IS NULL THEN EXISTS (SELECT FROM session_head WHERE org = $1 AND session = $2 AND version > 0) END,
            CASE WHEN version = 0 THEN {UnforcedCommit.Sql} END
        FROM (SELECT) AS always LEFT JOIN opened ON true
        """;

    private const string CreateSql = $"""
        {DeadSql}, {PatienceSql}, opened AS (
            INSERT INTO session_head AS h (org, session, host) SELECT $1, $2, $3 FROM patience WHERE NOT EXISTS (SELECT FROM dead)
            ON CONFLICT (org, session) DO UPDATE SET host = excluded.host, epoch = h.epoch + 1 WHERE {IsFree}
            RETURNING epoch, version, seq, incarnation
        ) {LeaseSql}
        """;

    // A head at version 0 was opened to be created and never was: it counts only for who creates.
    private const string OpenSql = $"""
        {DeadSql}, {PatienceSql}, opened AS (
            UPDATE session_head AS h SET host = $3, epoch = epoch + 1 FROM patience
            WHERE org = $1 AND session = $2 AND version > 0 AND NOT EXISTS (SELECT FROM dead) AND {IsFree}
            RETURNING epoch, version, seq, incarnation
        ) {LeaseSql}
        """;

    private readonly NpgsqlDataSource system;
    private readonly HeldHeads heads;
    private readonly JournalReader reader;
    private readonly AppendPipeline pipeline;
    private readonly LeaseReturns returns;
    private readonly DatabasePatience patience;
    private readonly RestingSessions resting;
    private readonly EventRetention retention;
    private readonly EventCompaction compaction;
    private readonly EventArchival archival;
    private readonly PendingArchives pending;

    /// <param name="tenants">Bound by row-level security, for reads.</param>
    /// <param name="system">With the scope of the host, for writes.</param>
    internal PostgresSessionJournal(NpgsqlDataSource tenants, SystemDataSource system, IOptions<DatabaseOptions> options, TimeProvider time, ILogger<PostgresSessionJournal> logger)
    {
        (this.system, heads) = (system.Source, system.Heads);
        patience = new(this.system, options.Value.Journal.OutagePatience, time);
        reader = new(tenants, new(tenants, options.Value.Journal.OutagePatience, time));
        pipeline = new(system, options.Value.Journal, patience, time, logger);
        returns = new(system, patience);
        resting = new(system.Source, patience, logger);
        retention = new(system.Source, resting, logger);
        compaction = new(system.Source, resting);
        archival = new(system.Source, resting, patience);
        pending = new(system.Source, patience);
    }

    public async ValueTask<JournalLease?> OpenAsync(SessionKey key, HostId host, bool create, CancellationToken cancellationToken) => await patience.RunAsync(
        "opening a session",
        token =>
        {
            resting.OpensAs(host);
            return heads.ChangeAsync((lockTimeout, limited) => TakeLeaseAsync(key, host, create, lockTimeout, limited), token);
        },
        cancellationToken);

    public ValueTask<bool> AppendAsync(JournalLease lease, JournalAppend append, CancellationToken cancellationToken) => pipeline.AppendAsync(lease, append, cancellationToken);

    public ValueTask ReleaseAsync(JournalLease lease, CancellationToken cancellationToken) => returns.GiveBackAsync(lease, isHandedOver: false, cancellationToken);

    public ValueTask HandOverAsync(JournalLease lease, CancellationToken cancellationToken) => returns.GiveBackAsync(lease, isHandedOver: true, cancellationToken);

    public IAsyncEnumerable<JournalRecord> ReadAsync(SessionKey key, long afterVersion, CancellationToken cancellationToken) => reader.ReadAsync(key, afterVersion, cancellationToken);

    public IAsyncEnumerable<JournalRecord> ReadEventsAsync(SessionKey key, long afterSeq, CancellationToken cancellationToken) => reader.ReadEventsAsync(key, afterSeq, cancellationToken);

    public async ValueTask<SessionHead?> FindHeadAsync(SessionKey key, CancellationToken cancellationToken) => await reader.FindHeadAsync(key, cancellationToken);

    public async ValueTask<IReadOnlyList<SessionHead>> ListHeadsAsync(OrganizationId organization, SessionId? before, int limit, CancellationToken cancellationToken) =>
        await reader.ListHeadsAsync(organization, before, limit, cancellationToken);

    public async ValueTask<string?> FindEnvironmentAsync(OrganizationId organization, string repository, CancellationToken cancellationToken) =>
        await reader.FindEnvironmentAsync(organization, repository, cancellationToken);

    public async ValueTask SaveSnapshotAsync(JournalLease lease, JournalSnapshot snapshot, CancellationToken cancellationToken)
    {
        var head = await patience.RunAsync("saving a snapshot", token => SaveAsync(lease, snapshot, token), cancellationToken);
        if (head is not { } found || found.Epoch != lease.Epoch) throw new PortException(PortFailureKind.Fenced, $"Session {lease.Key} was opened anew: this lease's snapshot is not taken.");
        if (found.Version < snapshot.Version) throw new PortException(PortFailureKind.Rejected, $"A snapshot at version {snapshot.Version} is above the head of session {lease.Key}, which is at {found.Version}.");
    }

    public async ValueTask<JournalSnapshot?> FindSnapshotAsync(SessionKey key, CancellationToken cancellationToken) => await reader.FindSnapshotAsync(key, cancellationToken);

    public async ValueTask<int> ExpireEventsAsync(TimeSpan age, CancellationToken cancellationToken) => await retention.ExpireAsync(age, cancellationToken);

    public async ValueTask<IReadOnlyList<SessionKey>> ListUncompactedAsync(TimeSpan age, SessionKey after, int limit, CancellationToken cancellationToken) =>
        await compaction.ListAsync(age, after, limit, cancellationToken);

    public async ValueTask<bool> CompactAsync(JournalCompaction compaction, CancellationToken cancellationToken) => await this.compaction.WriteAsync(compaction, cancellationToken);

    public async ValueTask<IReadOnlyList<SessionKey>> ListUnarchivedAsync(TimeSpan age, SessionKey after, int limit, CancellationToken cancellationToken) =>
        await archival.ListAsync(age, after, limit, cancellationToken);

    public async ValueTask AnnounceArchiveAsync(PendingArchive pending, CancellationToken cancellationToken) => await this.pending.AnnounceAsync(pending, cancellationToken);

    public async ValueTask<bool> ArchiveAsync(SessionHead seen, EventArchive archive, CancellationToken cancellationToken) => await archival.WriteAsync(seen, archive, cancellationToken);

    public async ValueTask<EventArchive?> FindArchiveAsync(SessionKey key, long afterSeq, CancellationToken cancellationToken) => await reader.FindArchiveAsync(key, afterSeq, cancellationToken);

    public async ValueTask<IReadOnlyList<PendingArchive>> GiveUpArchivesAsync(TimeSpan age, PendingArchive? after, int limit, CancellationToken cancellationToken) => await pending.GiveUpAsync(age, after, limit, cancellationToken);

    public async ValueTask ForgetPendingArchiveAsync(PendingArchive pending, CancellationToken cancellationToken) => await this.pending.ForgetAsync(pending, cancellationToken);

    public async ValueTask<IReadOnlyList<EventArchive>> ListGoneArchivesAsync(EventArchive? after, int limit, CancellationToken cancellationToken) => await archival.ListGoneAsync(after, limit, cancellationToken);

    public async ValueTask ForgetArchiveAsync(EventArchive archive, CancellationToken cancellationToken) => await archival.ForgetAsync(archive, cancellationToken);

    public ValueTask DisposeAsync() => pipeline.DisposeAsync();

    private async Task<JournalLease?> TakeLeaseAsync(SessionKey key, HostId host, bool create, string lockTimeout, CancellationToken cancellationToken)
    {
        await using var command = system.CreateCommand(create ? CreateSql : OpenSql);
        var parameters = AddKey(command, key);
        parameters.Add(new() { Value = host.Value });
        parameters.Add(new() { Value = lockTimeout });
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        await row.ReadAsync(cancellationToken);
        if (row.GetBoolean(0)) throw new PortException(PortFailureKind.Fenced, $"Host {host} is none any more; it must register anew.");
        if (row.IsDBNull(1)) return create || row.GetBoolean(5) ? throw new PortException(PortFailureKind.Fenced, $"Session {key} is another host's by now.") : null;
        return new JournalLease(key, host, row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetInt32(4));
    }

    /// <summary>Saves it if the head allows, and returns the head it was judged by; null when there is none.</summary>
    private async Task<(long Epoch, long Version)?> SaveAsync(JournalLease lease, JournalSnapshot snapshot, CancellationToken cancellationToken)
    {
        await using var command = system.CreateCommand(
            """
            WITH head AS (
                SELECT org, session, epoch, version FROM session_head WHERE org = $1 AND session = $2
            ), saved AS (
                INSERT INTO session_snapshot AS s (org, session, version, seq, shape, state)
                SELECT org, session, $4, $5, $6, $7 FROM head WHERE epoch = $3 AND version >= $4
                ON CONFLICT (org, session) DO UPDATE
                SET version = excluded.version, seq = excluded.seq, shape = excluded.shape, state = excluded.state, at = now()
                WHERE s.version <= excluded.version
            )
            SELECT epoch, version FROM head
            """);
        var parameters = AddKey(command, lease.Key);
        parameters.Add(new() { Value = lease.Epoch });
        parameters.Add(new() { Value = snapshot.Version });
        parameters.Add(new() { Value = snapshot.Seq });
        parameters.Add(new() { Value = snapshot.ShapeHash });
        parameters.Add(new NpgsqlParameter<ReadOnlyMemory<byte>> { TypedValue = snapshot.State });
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        return await row.ReadAsync(cancellationToken) ? (row.GetInt64(0), row.GetInt64(1)) : null;
    }

    private static NpgsqlParameterCollection AddKey(NpgsqlCommand command, SessionKey key)
    {
        command.Parameters.Add(new() { Value = key.Organization.Value });
        command.Parameters.Add(new() { Value = key.Session.Value });
        return command.Parameters;
    }
}
