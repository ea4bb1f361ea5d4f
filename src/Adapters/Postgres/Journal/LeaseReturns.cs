using System.Collections.Concurrent;
using System.Threading.Channels;
using Coordinator.Ports.Session;
using Npgsql;
using NpgsqlTypes;

namespace Coordinator.Adapters.Postgres.Journal;

/// <summary>
/// Gives leases back. Those that come while a statement is under way share the next one and its commit, as when a host that drains lets
/// thousands of sessions go. A lease that the shared statement leaves, since its row is locked or something fails, is given back alone,
/// so that none waits for another's trouble. Giving back twice does nothing: the first took the epoch away.
/// </summary>
internal sealed class LeaseReturns
{
    private const int MostTogether = 256;

    /// <summary>It waits for no row, so what takes longer is a server or a way to it that all need not wait for together.</summary>
    private const int TogetherSeconds = 2;

    private const string Moving = """
        SET host = NULL,
            epoch = epoch + 1,
            wake_at = CASE WHEN given.handed_over THEN least(wake_at, now()) ELSE wake_at END,
            hidden_until = CASE WHEN given.handed_over THEN NULL ELSE hidden_until END
        """;

    private const string AloneSql = $"""
        WITH patience AS MATERIALIZED (SELECT set_config('lock_timeout', $5, true))
        UPDATE session_head {Moving} FROM patience, (SELECT $4 AS handed_over) AS given WHERE org = $1 AND session = $2 AND epoch = $3
        """;

    private const string TogetherSql = $"""
        UPDATE session_head AS h {Moving}
        FROM (
            SELECT free.org, free.session, wanted.handed_over
            FROM (SELECT $1[i] AS org, session, $3[i] AS epoch, $4[i] AS handed_over FROM unnest($2) WITH ORDINALITY AS listed (session, i)) AS wanted
                JOIN session_head AS free ON free.org = wanted.org AND free.session = wanted.session AND free.epoch = wanted.epoch
            FOR UPDATE OF free SKIP LOCKED
        ) AS given
        WHERE h.org = given.org AND h.session = given.session
        RETURNING h.org, h.session
        """;

    private readonly NpgsqlDataSource source;
    private readonly HeldHeads heads;
    private readonly DatabasePatience patience;
    private readonly ConcurrentQueue<Return> waiting = new(); // as many as there are callers; one that stopped waiting is given back with the next
    private readonly Channel<bool> turn = Channel.CreateBounded<bool>(1); // holds one while nobody has it

    public LeaseReturns(SystemDataSource system, DatabasePatience patience)
    {
        (source, heads, this.patience) = (system.Source, system.Heads, patience);
        turn.Writer.TryWrite(true);
    }

    /// <summary>As <see cref="ISessionJournal.ReleaseAsync"/>, or <see cref="ISessionJournal.HandOverAsync"/>.</summary>
    public async ValueTask GiveBackAsync(JournalLease lease, bool isHandedOver, CancellationToken cancellationToken)
    {
        var mine = new Return(lease, isHandedOver);
        waiting.Enqueue(mine);
        await turn.Reader.ReadAsync(cancellationToken);
        try
        {
            while (!mine.IsTaken) await TryTogetherAsync(Take(), cancellationToken);
        }
        finally
        {
            turn.Writer.TryWrite(true);
        }

        if (!mine.IsDone) await patience.RunAsync("releasing a session", token => heads.ChangeAsync((lockTimeout, limited) => AloneAsync(mine, lockTimeout, limited), token), cancellationToken);
    }

    private List<Return> Take()
    {
        var taken = new List<Return>();
        while (taken.Count < MostTogether && waiting.TryDequeue(out var next))
        {
            next.IsTaken = true;
            taken.Add(next);
        }

        return taken;
    }

    /// <summary>Marks what it gave back. Whose caller does not wait any more is among them; it wanted the same.</summary>
    private async Task TryTogetherAsync(List<Return> leases, CancellationToken cancellationToken)
    {
        try
        {
            await using var command = source.CreateCommand(TogetherSql);
            command.CommandTimeout = TogetherSeconds;
            AddArray(command, leases.ConvertAll(one => one.Lease.Key.Organization.Value), NpgsqlDbType.Uuid);
            AddArray(command, leases.ConvertAll(one => one.Lease.Key.Session.Value), NpgsqlDbType.Uuid);
            AddArray(command, leases.ConvertAll(one => one.Lease.Epoch), NpgsqlDbType.Bigint);
            AddArray(command, leases.ConvertAll(one => one.IsHandedOver), NpgsqlDbType.Boolean);
            var given = new HashSet<(Guid, Guid)>();
            await using (var rows = await command.ExecuteReaderAsync(cancellationToken))
                while (await rows.ReadAsync(cancellationToken)) given.Add((rows.GetGuid(0), rows.GetGuid(1)));
            // Not before the reader has closed, which is when the server has said that it committed.
            foreach (var one in leases) one.IsDone = given.Contains((one.Lease.Key.Organization.Value, one.Lease.Key.Session.Value));
        }
        catch (Exception failure) when (DatabaseFailure.IsOne(failure))
        {
            // Each finds out for itself, and has the patience and the words for it.
        }
    }

    private async Task<int> AloneAsync(Return one, string lockTimeout, CancellationToken cancellationToken)
    {
        await using var command = source.CreateCommand(AloneSql);
        command.Parameters.Add(new() { Value = one.Lease.Key.Organization.Value });
        command.Parameters.Add(new() { Value = one.Lease.Key.Session.Value });
        command.Parameters.Add(new() { Value = one.Lease.Epoch });
        command.Parameters.Add(new() { Value = one.IsHandedOver });
        command.Parameters.Add(new() { Value = lockTimeout });
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static void AddArray<T>(NpgsqlCommand command, List<T> values, NpgsqlDbType type) =>
        command.Parameters.Add(new NpgsqlParameter<List<T>> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | type });

    /// <summary>Its marks are written by whoever has the turn, and read by its caller in a turn of its own or behind it.</summary>
    private sealed class Return(JournalLease lease, bool isHandedOver)
    {
        public JournalLease Lease { get; } = lease;

        public bool IsHandedOver { get; } = isHandedOver;

        public bool IsTaken { get; set; }

        public bool IsDone { get; set; }
    }
}
