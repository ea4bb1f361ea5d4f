using Npgsql;

namespace Coordinator.Adapters.Postgres.Backup;

/// <summary>
/// Makes a database that went back in time say so. What it is told stands in one transaction, so no host ever serves a part
/// of it: every session is another incarnation, and shows itself with a cursor of it, held by nobody, at an epoch that no host was ever given, and due when it was due; topics have a floor above any
/// watermark they gave; sign-in links that may have been used since are gone.
/// </summary>
internal static class GoneBack
{
    private static readonly DateTimeOffset Beginning = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>What nobody else may look at while it changes.</summary>
    private static readonly string[] Tables = ["session_head", "session_view", "feed_topic"];

    /// <summary>
    /// The incarnation that the database was last made to say, of a session that is made now: the column's default, which anybody may look up and nobody has to lock anything for.
    /// </summary>
    public const string Said = """
        (SELECT pg_get_expr(column_default.adbin, 0)::int FROM pg_attrdef AS column_default JOIN pg_attribute AS attribute ON attribute.attrelid = column_default.adrelid AND attribute.attnum = column_default.adnum
        WHERE column_default.adrelid = 'session_head'::regclass AND attribute.attname = 'incarnation')
        """;

    /// <summary>More watermarks than any topic gives in a second.</summary>
    private const long WatermarksPerSecond = 1_000_000;

    /// <summary>
    /// Where an incarnation's epochs begin: more of them than any session is opened and released within one. What hosts were given
    /// after the copy is unknown here, and one that was left running over the restore still holds it.
    /// </summary>
    private const int EpochBits = 32;

    /// <summary>
    /// One that was never given, whichever copy was restored how often: the seconds since 2020, unless sessions are beyond
    /// that. What was written after the copy is unknown here, so counting on from the copy would not do.
    /// </summary>
    public static int NextIncarnation(int highest, DateTimeOffset now) => Math.Max(checked(highest + 1), (int)Math.Clamp((now - Beginning).TotalSeconds, 1, int.MaxValue));

    /// <summary>
    /// Takes the tables from everybody else until the transaction ends, or gives up soon: whoever comes to them stands behind who waits for them, and a backup
    /// may read them for hours. The transaction goes on either way.
    /// </summary>
    /// <returns>Null when they are taken, and otherwise how the server refused them.</returns>
    public static async Task<PostgresException?> TryHoldAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        await transaction.SaveAsync("before_hold", cancellationToken);
        try
        {
            await using var hold = new NpgsqlCommand($"SET LOCAL lock_timeout = '{MigrationRunner.LockPatience.TotalMilliseconds:0}ms'; {Hold}; SET LOCAL lock_timeout TO DEFAULT", connection);
            await hold.ExecuteNonQueryAsync(cancellationToken);
            return null;
        }
        catch (PostgresException held) when (DatabaseFailure.IsOfContention(held))
        {
            await transaction.RollbackAsync("before_hold", cancellationToken);
            return held;
        }
    }

    /// <summary>
    /// The server processes that have held one of the tables for longer than <see cref="TryHoldAsync"/> waits, and those that do not show for how long. What hosts
    /// write has stood behind that wait itself, and is to be longer at it.
    /// </summary>
    public static async Task<IReadOnlyList<int>> HoldersAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            $"""
            SELECT DISTINCT lock.pid FROM pg_locks AS lock LEFT JOIN pg_stat_activity AS activity ON activity.pid = lock.pid
            WHERE lock.granted AND lock.pid <> pg_backend_pid() AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND lock.relation IN ({string.Join(", ", Tables.Select(table => $"'{table}'::regclass"))})
                AND (activity.xact_start IS NULL OR activity.xact_start < clock_timestamp() - $1 * CASE WHEN activity.application_name ~ $2 THEN 3 ELSE 1 END)
            ORDER BY lock.pid
            """,
            connection);
        command.Parameters.Add(new() { Value = MigrationRunner.LockPatience });
        command.Parameters.Add(new() { Value = DatabaseServer.NameOfHosts });
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var holders = new List<int>();
        while (await row.ReadAsync(cancellationToken)) holders.Add(row.GetInt32(0));
        return holders;
    }

    /// <summary>
    /// Within the connection's transaction, and with what hosts write meanwhile waiting for its end. Sessions and topics that are made later begin there too, for
    /// they may have been there before. Where the database then is, is for the next host to note.
    /// </summary>
    public static async Task SayAsync(NpgsqlConnection connection, int incarnation, CancellationToken cancellationToken)
    {
        var watermark = incarnation * WatermarksPerSecond;
        var epoch = (long)incarnation << EpochBits;
        await using var command = new NpgsqlCommand(
            $"""
            {Hold};
            UPDATE session_head SET incarnation = {incarnation}, host = NULL, epoch = greatest(epoch + 1, {epoch}), hidden_until = NULL;
            ALTER TABLE session_head ALTER COLUMN incarnation SET DEFAULT {incarnation}, ALTER COLUMN epoch SET DEFAULT {epoch};
            UPDATE session_view SET view = convert_to(regexp_replace(convert_from(view, 'UTF8'), '"cursor":"\d+\.', '"cursor":"{incarnation}.'), 'UTF8');
            DELETE FROM feed_entry;
            UPDATE feed_topic SET head = greatest(head, {watermark}), floor = greatest(head, {watermark});
            ALTER TABLE feed_topic ALTER COLUMN head SET DEFAULT {watermark}, ALTER COLUMN floor SET DEFAULT {watermark};
            DELETE FROM personal_credential WHERE kind = 'sign_in_link';
            DELETE FROM session_host;
            DO $$ BEGIN
                IF to_regclass('database_timeline') IS NOT NULL THEN DELETE FROM database_timeline; END IF;
            END $$;
            """,
            connection)
        {
            CommandTimeout = 0, // however many sessions there are
        };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <inheritdoc cref="Said"/>
    public static async Task<int> SaidAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"SELECT {Said}", connection);
        return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    public static async Task<int> HighestAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT coalesce(max(incarnation), 0) FROM session_head", connection);
        return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private static string Hold => $"LOCK TABLE {string.Join(", ", Tables)} IN ACCESS EXCLUSIVE MODE";
}
