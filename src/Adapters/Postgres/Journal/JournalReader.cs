using System.Runtime.CompilerServices;
using System.Text;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Npgsql;

namespace Coordinator.Adapters.Postgres.Journal;

/// <summary>
/// Reads a tenant's sessions, as that tenant: row-level security lets nothing else through. Records come in pages, so
/// that a slow reader holds neither a connection nor a snapshot of the database.
/// </summary>
internal sealed class JournalReader(NpgsqlDataSource source, DatabasePatience patience)
{
    private const int PageRecords = 2_000; // a page of small records is read in one go: its bytes are what bounds it
    private const int PageBytes = 1024 * 1024;

    private const string HeadSql = """
        SELECT h.org, h.session, h.host, h.epoch, h.version, h.seq, h.incarnation, h.wake_at, coalesce(v.view, ''::bytea), h.floor, h.compacted, h.archived
        FROM session_head AS h LEFT JOIN session_view AS v ON v.org = h.org AND v.session = h.session
        WHERE h.org = $1 AND h.version > 0
        """;

    /// <summary>
    /// Bisection over versions: every record up to lo ends at or before the sequence number before $4. Each step looks one record up by its key: a planner
    /// that takes a session for one row, as it does where there are many organizations, would read all of its records at each step, so OFFSET 0 keeps the look-up apart.
    /// </summary>
    public const string PlaceSql = """
        WITH RECURSIVE span (lo, hi) AS (
            SELECT 0::bigint, (SELECT version FROM session_head WHERE org = $1 AND session = $2)
            UNION ALL
            SELECT CASE WHEN r.last_seq >= $4 THEN s.lo ELSE r.version END, CASE WHEN r.last_seq >= $4 THEN r.version ELSE s.hi END
            FROM span AS s CROSS JOIN LATERAL (
                SELECT version, last_seq FROM session_record WHERE org = $1 AND session = $2 AND version = (s.lo + s.hi) / 2 OFFSET 0) AS r
            WHERE s.hi - s.lo > 1)
        SELECT max(lo) FROM span
        """;

    private static readonly string PageSql = PageAfter("$3");

    /// <summary>The first page after a sequence number, its place found on the way.</summary>
    private static readonly string PlacedPageSql = PageAfter($"greatest($3, ({PlaceSql}))");

    /// <summary>Records above a version, eventless ones included.</summary>
    public IAsyncEnumerable<JournalRecord> ReadAsync(SessionKey key, long afterVersion, CancellationToken cancellationToken) =>
        ReadPagesAsync(key, afterVersion, fromSeq: 0, cancellationToken);

    /// <summary>Records with events above a sequence number.</summary>
    public async IAsyncEnumerable<JournalRecord> ReadEventsAsync(SessionKey key, long afterSeq, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var record in ReadPagesAsync(key, afterVersion: 0, Math.Max(afterSeq, 0) + 1, cancellationToken)) yield return record;
    }

    public Task<SessionHead?> FindHeadAsync(SessionKey key, CancellationToken cancellationToken) => QueryAsync(
        "reading a session's head",
        key.Organization,
        $"{HeadSql} AND h.session = $2",
        [new() { Value = key.Organization.Value }, new() { Value = key.Session.Value }],
        async (reader, token) => await reader.ReadAsync(token) ? Head(reader) : null,
        cancellationToken);

    public Task<IReadOnlyList<SessionHead>> ListHeadsAsync(OrganizationId organization, SessionId? before, int limit, CancellationToken cancellationToken) => QueryAsync(
        "listing sessions",
        organization,
        $"""
        {HeadSql}{(before is null ? "" : " AND (h.created_at, h.session) < (SELECT created_at, session FROM session_head WHERE org = $1 AND session = $3)")}
        ORDER BY h.created_at DESC, h.session DESC LIMIT $2
        """,
        before is { } last
            ? [new() { Value = organization.Value }, new() { Value = limit }, new() { Value = last.Value }]
            : [new() { Value = organization.Value }, new() { Value = limit }],
        ReadHeadsAsync,
        cancellationToken);

    public Task<JournalSnapshot?> FindSnapshotAsync(SessionKey key, CancellationToken cancellationToken) => QueryAsync(
        "reading a snapshot",
        key.Organization,
        "SELECT version, seq, shape, state FROM session_snapshot WHERE org = $1 AND session = $2",
        [new() { Value = key.Organization.Value }, new() { Value = key.Session.Value }],
        async (reader, token) => await reader.ReadAsync(token)
            ? new JournalSnapshot(reader.GetInt64(0), reader.GetInt64(1), reader.GetString(2), reader.GetFieldValue<byte[]>(3))
            : null,
        cancellationToken);

    public Task<string?> FindEnvironmentAsync(OrganizationId organization, string repository, CancellationToken cancellationToken) => QueryAsync(
        "looking for a repository's environment",
        organization,
        "SELECT environment FROM session_environment WHERE org = $1 AND repository = $2 ORDER BY created_at DESC, session DESC LIMIT 1",
        [new() { Value = organization.Value }, new() { Value = RepositoryKey.Of(repository) }],
        async (reader, token) => await reader.ReadAsync(token) ? Encoding.UTF8.GetString(reader.GetFieldValue<byte[]>(0)) : null,
        cancellationToken);

    public Task<EventArchive?> FindArchiveAsync(SessionKey key, long afterSeq, CancellationToken cancellationToken) => QueryAsync(
        "looking for archived events",
        key.Organization,
        $"""
        SELECT {EventArchival.Columns} FROM event_archive AS a JOIN session_head AS h ON h.org = a.org AND h.session = a.session
        WHERE a.org = $1 AND a.session = $2 AND a.last_seq > greatest($3, h.floor) ORDER BY a.last_seq LIMIT 1
        """,
        [new() { Value = key.Organization.Value }, new() { Value = key.Session.Value }, new() { Value = afterSeq }],
        async (reader, token) => await reader.ReadAsync(token) ? EventArchival.Archive(reader) : null,
        cancellationToken);

    private async IAsyncEnumerable<JournalRecord> ReadPagesAsync(SessionKey key, long afterVersion, long fromSeq, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var sql = fromSeq > 1 ? PlacedPageSql : PageSql;
        while (true)
        {
            var page = await ReadPageAsync(sql, key, afterVersion, fromSeq, cancellationToken);
            var bytes = 0L;
            foreach (var record in page)
            {
                bytes += record.Payload.Length;
                yield return record;
            }

            if (page.Count < PageRecords && bytes < PageBytes) yield break;
            (sql, afterVersion) = (PageSql, page[^1].Version);
        }
    }

    private Task<List<JournalRecord>> ReadPageAsync(string sql, SessionKey key, long afterVersion, long fromSeq, CancellationToken cancellationToken) => QueryAsync(
        "reading a session's records",
        key.Organization,
        sql,
        [new() { Value = key.Organization.Value }, new() { Value = key.Session.Value }, new() { Value = afterVersion }, new() { Value = fromSeq }],
        ReadRecordsAsync,
        cancellationToken);

    // The window counts the bytes before each record without reading the payloads: a page ends after the first record
    // that passes its size.
    private static string PageAfter(string version) => $"""
        SELECT version, first_seq, last_seq, schema, codec, payload, at FROM (
            SELECT *, sum(octet_length(payload)) OVER (ORDER BY version ROWS UNBOUNDED PRECEDING) - octet_length(payload) AS before
            FROM (
                SELECT version, first_seq, last_seq, schema, codec, payload, at FROM session_record
                WHERE org = $1 AND session = $2 AND version > {version} AND last_seq >= $4 AND ($4 = 0 OR (last_seq >= first_seq AND codec <> {RecordEvents.CoveredCodec}))
                ORDER BY version LIMIT {PageRecords}) AS candidate) AS page
        WHERE before < {PageBytes} ORDER BY version
        """;

    /// <summary>One round trip: the setting that names the tenant, then the query, in one implicit transaction.</summary>
    private Task<T> QueryAsync<T>(string doing, OrganizationId organization, string sql, NpgsqlParameter[] parameters, Func<NpgsqlDataReader, CancellationToken, Task<T>> read, CancellationToken cancellationToken) => patience.RunAsync(
        doing,
        async token =>
        {
            await using var batch = source.CreateBatch();
            var query = new NpgsqlBatchCommand(sql);
            foreach (var parameter in parameters) query.Parameters.Add(parameter.Clone());
            batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT set_config('coordinator.organization', $1, true)") { Parameters = { new() { Value = organization.Value.ToString() } } });
            batch.BatchCommands.Add(query);
            await using var reader = await batch.ExecuteReaderAsync(token);
            await reader.NextResultAsync(token);
            return await read(reader, token);
        },
        cancellationToken);

    private static async Task<List<JournalRecord>> ReadRecordsAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        var records = new List<JournalRecord>();
        while (await reader.ReadAsync(cancellationToken))
        {
            records.Add(new(
                reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt16(3), reader.GetInt16(4), reader.GetFieldValue<byte[]>(5), reader.GetFieldValue<DateTimeOffset>(6)));
        }

        return records;
    }

    private static async Task<IReadOnlyList<SessionHead>> ReadHeadsAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        var heads = new List<SessionHead>();
        while (await reader.ReadAsync(cancellationToken)) heads.Add(Head(reader));
        return heads;
    }

    private static SessionHead Head(NpgsqlDataReader reader) => new(
        new(new(reader.GetGuid(0)), new(reader.GetGuid(1))),
        reader.IsDBNull(2) ? null : new HostId(reader.GetGuid(2)),
        reader.GetInt64(3),
        reader.GetInt64(4),
        reader.GetInt64(5),
        reader.GetInt32(6),
        reader.IsDBNull(7) ? null : reader.GetFieldValue<DateTimeOffset>(7),
        reader.GetFieldValue<byte[]>(8))
    {
        Floor = reader.GetInt64(9),
        Compacted = reader.GetInt64(10),
        Archived = reader.GetInt64(11),
    };
}
