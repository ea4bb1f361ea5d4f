using Coordinator.Ports.Session;
using Npgsql;
using NpgsqlTypes;

namespace Coordinator.Adapters.Postgres.Journal;

/// <summary>
/// <see cref="GroupAppend"/> of one append alone, as most are that somebody waits for. Lists of a single value, which the driver writes and
/// the server takes apart again, were a tenth of what such an append takes.
/// </summary>
internal sealed class LoneAppend(NpgsqlConnection connection, TimeSpan timeout) : IAsyncDisposable
{
    private const string PlainSql = $"""
        WITH {Moved}
        {Write}
        """;

    private const string ViewedSql = $"""
        WITH {Moved}, shown AS (
            INSERT INTO session_view (org, session, view)
            SELECT org, session, $10 FROM moved
            ON CONFLICT (org, session) DO UPDATE SET view = excluded.view
        )
        {Write}
        """;

    private const string Moved = """
        moved AS (
            UPDATE session_head
            SET version = version + 1,
                seq = seq + $7,
                wake_at = $9,
                hidden_until = CASE WHEN wake_at IS NOT DISTINCT FROM $9 THEN hidden_until END,
                updated_at = now()
            WHERE org = $2 AND session = $3 AND epoch = $4 AND version = $5
            RETURNING org, session, version, epoch, seq
        )
        """;

    private const string Write = """
        INSERT INTO session_record (org, session, version, epoch, first_seq, last_seq, schema, codec, payload, at)
            SELECT org, session, version, epoch, seq - $7 + 1, seq, $1, 0, $6, $8 FROM moved
        """;

    private readonly Form plain = new(PlainSql, connection, timeout);
    private readonly Form viewed = new(ViewedSql, connection, timeout, isViewed: true);

    /// <summary>False for what only a group's form writes.</summary>
    public static bool Takes(PendingAppend pending) => pending.Append.Environment is null;

    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        await plain.Command.PrepareAsync(cancellationToken);
        await viewed.Command.PrepareAsync(cancellationToken);
    }

    public NpgsqlCommand Fill(PendingAppend pending) => (pending.Append.View is null ? plain : viewed).Fill(pending);

    public void Clear()
    {
        plain.Clear();
        viewed.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        await plain.Command.DisposeAsync();
        await viewed.Command.DisposeAsync();
    }

    /// <summary>One of the statements with parameters of its own, in the order of their numbers.</summary>
    private sealed class Form
    {
        private readonly NpgsqlParameter<Guid> organization = new();
        private readonly NpgsqlParameter<Guid> session = new();
        private readonly NpgsqlParameter<long> epoch = new();
        private readonly NpgsqlParameter<long> version = new();
        private readonly NpgsqlParameter<ReadOnlyMemory<byte>> payload = new();
        private readonly NpgsqlParameter<int> events = new();
        private readonly NpgsqlParameter<DateTimeOffset> at = new() { NpgsqlDbType = NpgsqlDbType.TimestampTz };
        private readonly NpgsqlParameter<DateTimeOffset?> wakeAt = new() { NpgsqlDbType = NpgsqlDbType.TimestampTz };
        private readonly NpgsqlParameter<ReadOnlyMemory<byte>> view = new();

        public Form(string sql, NpgsqlConnection connection, TimeSpan timeout, bool isViewed = false)
        {
            Command = new(sql, connection)
            {
                CommandTimeout = (int)Math.Ceiling(timeout.TotalSeconds),
                Parameters = { new NpgsqlParameter<short> { TypedValue = JournalRecord.CurrentSchema }, organization, session, epoch, version, payload, events, at, wakeAt },
            };
            if (isViewed) Command.Parameters.Add(view);
        }

        public NpgsqlCommand Command { get; }

        public NpgsqlCommand Fill(PendingAppend pending)
        {
            var (lease, append) = (pending.Lease, pending.Append);
            organization.TypedValue = lease.Key.Organization.Value;
            session.TypedValue = lease.Key.Session.Value;
            epoch.TypedValue = lease.Epoch;
            version.TypedValue = append.ExpectedVersion;
            payload.TypedValue = append.Payload;
            events.TypedValue = append.EventCount;
            at.TypedValue = append.At.ToUniversalTime();
            wakeAt.TypedValue = append.WakeAt?.ToUniversalTime();
            view.TypedValue = append.View.GetValueOrDefault();
            return Command;
        }

        public void Clear() => payload.TypedValue = view.TypedValue = default;
    }
}
