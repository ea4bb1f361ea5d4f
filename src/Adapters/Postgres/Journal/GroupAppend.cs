using System.Text;
using Coordinator.Ports.Session;
using Npgsql;
using NpgsqlTypes;

namespace Coordinator.Adapters.Postgres.Journal;

/// <summary>
/// The statement for a group of appends of as many sessions, in three forms: most groups change no session's view and fewer an
/// environment, and are spared what that takes. The lists are reused.
/// </summary>
internal sealed class GroupAppend : IAsyncDisposable
{
    private const string PlainSql = $"""
        WITH moved AS (
            UPDATE session_head AS h {Moving}
            FROM (SELECT {Wanted} FROM unnest($6) WITH ORDINALITY AS given (payload, i)) AS w
            {Fenced}
            RETURNING {Moved}
        )
        {Write}
        """;

    private const string ViewedSql = $"""
        WITH moved AS (
            UPDATE session_head AS h {Moving}
            FROM (SELECT {Wanted}, $10[i] AS view FROM unnest($6) WITH ORDINALITY AS given (payload, i)) AS w
            {Fenced}
            RETURNING {Moved}, w.view
        ), {Shown}
        {Write}
        """;

    private const string WholeSql = $"""
        WITH moved AS (
            UPDATE session_head AS h {Moving}
            FROM (SELECT {Wanted}, $10[i] AS view, $11[i] AS repository, $12[i] AS environment FROM unnest($6) WITH ORDINALITY AS given (payload, i)) AS w
            {Fenced}
            RETURNING {Moved}, w.view, w.repository, w.environment, h.created_at
        ), {Shown}, discovered AS (
            INSERT INTO session_environment (org, session, repository, created_at, environment)
            SELECT org, session, repository, created_at, environment FROM moved WHERE environment IS NOT NULL
            ON CONFLICT (org, session) DO UPDATE SET repository = excluded.repository, environment = excluded.environment
        )
        {Write}
        """;

    // By place, since unnesting so many arrays together takes the server as long as writing a record does.
    private const string Wanted = "$2[i] AS org, $3[i] AS session, $4[i] AS epoch, $5[i] AS expected, payload, $7[i] AS events, $8[i] AS at, $9[i] AS wake_at";

    private const string Moving = """
        SET version = h.version + 1,
                seq = h.seq + w.events,
                wake_at = w.wake_at,
                hidden_until = CASE WHEN h.wake_at IS NOT DISTINCT FROM w.wake_at THEN h.hidden_until END,
                updated_at = now()
        """;

    private const string Fenced = "WHERE h.org = w.org AND h.session = w.session AND h.epoch = w.epoch AND h.version = w.expected";

    private const string Moved = "h.org, h.session, h.version, h.epoch, h.seq, w.events, w.payload, w.at";

    private const string Shown = """
        shown AS (
            INSERT INTO session_view (org, session, view)
            SELECT org, session, view FROM moved WHERE view IS NOT NULL
            ON CONFLICT (org, session) DO UPDATE SET view = excluded.view
        )
        """;

    private const string Write = """
        INSERT INTO session_record (org, session, version, epoch, first_seq, last_seq, schema, codec, payload, at)
            SELECT org, session, version, epoch, seq - events + 1, seq, $1, 0, payload, at FROM moved
        """;

    private readonly NpgsqlCommand plain;
    private readonly NpgsqlCommand viewed;
    private readonly NpgsqlCommand whole;
    private readonly List<Guid> organizations = [];
    private readonly List<Guid> sessions = [];
    private readonly List<long> epochs = [];
    private readonly List<long> versions = [];
    private readonly List<ReadOnlyMemory<byte>> payloads = [];
    private readonly List<int> events = [];
    private readonly List<DateTimeOffset> times = [];
    private readonly List<DateTimeOffset?> wakeUps = [];
    private readonly List<ReadOnlyMemory<byte>?> views = [];
    private readonly List<ReadOnlyMemory<byte>?> repositories = [];
    private readonly List<ReadOnlyMemory<byte>?> environments = [];

    public GroupAppend(NpgsqlConnection connection, TimeSpan timeout)
    {
        plain = Command(PlainSql, connection, timeout);
        viewed = Command(ViewedSql, connection, timeout);
        viewed.Parameters.Add(Array(views, NpgsqlDbType.Bytea));
        whole = Command(WholeSql, connection, timeout);
        whole.Parameters.Add(Array(views, NpgsqlDbType.Bytea));
        whole.Parameters.Add(Array(repositories, NpgsqlDbType.Bytea));
        whole.Parameters.Add(Array(environments, NpgsqlDbType.Bytea));
    }

    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        await plain.PrepareAsync(cancellationToken);
        await viewed.PrepareAsync(cancellationToken);
        await whole.PrepareAsync(cancellationToken);
    }

    /// <summary>Fills the lists, and gives the form that the group needs.</summary>
    public NpgsqlCommand Fill(IReadOnlyList<PendingAppend> group)
    {
        var (isViewed, isWhole) = (false, false);
        foreach (var pending in group)
        {
            var (lease, append) = (pending.Lease, pending.Append);
            organizations.Add(lease.Key.Organization.Value);
            sessions.Add(lease.Key.Session.Value);
            epochs.Add(lease.Epoch);
            versions.Add(append.ExpectedVersion);
            payloads.Add(append.Payload);
            events.Add(append.EventCount);
            times.Add(append.At.ToUniversalTime());
            wakeUps.Add(append.WakeAt?.ToUniversalTime());
            isViewed |= append.View is not null;
            isWhole |= append.Environment is not null;
        }

        if (isViewed || isWhole)
            foreach (var pending in group) views.Add(pending.Append.View);
        if (isWhole) FillEnvironments(group);
        return isWhole ? whole : isViewed ? viewed : plain;
    }

    public void Clear()
    {
        organizations.Clear();
        sessions.Clear();
        epochs.Clear();
        versions.Clear();
        payloads.Clear();
        events.Clear();
        times.Clear();
        wakeUps.Clear();
        views.Clear();
        repositories.Clear();
        environments.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        await plain.DisposeAsync();
        await viewed.DisposeAsync();
        await whole.DisposeAsync();
    }

    private NpgsqlCommand Command(string sql, NpgsqlConnection connection, TimeSpan timeout) => new(sql, connection)
    {
        CommandTimeout = (int)Math.Ceiling(timeout.TotalSeconds),
        Parameters =
        {
            new NpgsqlParameter<short> { TypedValue = JournalRecord.CurrentSchema },
            Array(organizations, NpgsqlDbType.Uuid),
            Array(sessions, NpgsqlDbType.Uuid),
            Array(epochs, NpgsqlDbType.Bigint),
            Array(versions, NpgsqlDbType.Bigint),
            Array(payloads, NpgsqlDbType.Bytea),
            Array(events, NpgsqlDbType.Integer),
            Array(times, NpgsqlDbType.TimestampTz),
            Array(wakeUps, NpgsqlDbType.TimestampTz),
        },
    };

    private void FillEnvironments(IReadOnlyList<PendingAppend> group)
    {
        foreach (var pending in group)
        {
            repositories.Add(pending.Append.Environment is { } found ? RepositoryKey.Of(found.Repository) : (ReadOnlyMemory<byte>?)null);
            environments.Add(pending.Append.Environment is { } environment ? Encoding.UTF8.GetBytes(environment.Json) : (ReadOnlyMemory<byte>?)null);
        }
    }

    private static NpgsqlParameter<List<T>> Array<T>(List<T> values, NpgsqlDbType type) =>
        new() { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | type };
}
