using Npgsql;

namespace Coordinator.Adapters.Postgres.Backup;

/// <summary>What became of the database since it was last looked at.</summary>
internal enum TimelineChange
{
    /// <summary>Nothing: it is where it was.</summary>
    None,

    /// <summary>A server took over that had confirmed all that the last one acknowledged.</summary>
    TakenOver,

    /// <summary>It may have lost what was acknowledged, and says so since: every session is another incarnation.</summary>
    WentBack,
}

/// <summary>Where a database is: which server, on which timeline of its log, and whether a standby confirms each commit before it is acknowledged.</summary>
internal readonly record struct DatabasePlace(long Server, long Timeline, bool IsConfirmed)
{
    public bool IsElsewhereThan(DatabasePlace other) => (Server, Timeline) != (other.Server, other.Timeline);
}

/// <summary>
/// Finds out that the database was promoted, or restored by PostgreSQL's own means: either begins another timeline of the server's log, or is another server.
/// What had a standby that confirmed each commit (<c>synchronous_standby_names</c>) is believed to have lost nothing.
/// </summary>
internal static class DatabaseTimeline
{
    private const string Now = """
        SELECT (SELECT system_identifier FROM pg_control_system()) AS server,
            ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint AS timeline,
            current_setting('synchronous_standby_names') <> '' AND current_setting('synchronous_commit') IN ('on', 'remote_apply') AS is_confirmed
        """;

    /// <summary>True when the server does not say where it is: some that others run do not let their users ask.</summary>
    public static bool IsUntold(Exception failure) => failure is PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.FeatureNotSupported or PostgresErrorCodes.UndefinedFunction };

    /// <summary>Where the database is now.</summary>
    public static async Task<DatabasePlace> FindAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        await using var command = source.CreateCommand(Now);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        await row.ReadAsync(cancellationToken);
        return new(row.GetInt64(0), row.GetInt64(1), row.GetBoolean(2));
    }

    /// <summary>
    /// Looks, as the schema's owner, and notes what it finds. Of a database that may have gone back it says so in the same transaction: hosts that
    /// serve from it meanwhile are fenced off, each session's actor by its epoch and each member by its row.
    /// </summary>
    public static async Task<TimelineChange> NoteAsync(NpgsqlConnection owner, TimeProvider time, CancellationToken cancellationToken)
    {
        await using var transaction = await owner.BeginTransactionAsync(cancellationToken);
        await ExecuteAsync(owner, $"SELECT pg_advisory_xact_lock({MigrationRunner.LockKey})", cancellationToken); // hosts take turns
        var change = await ChangeAsync(owner, cancellationToken);
        if (change == TimelineChange.WentBack) await GoneBack.SayAsync(owner, GoneBack.NextIncarnation(await GoneBack.HighestAsync(owner, cancellationToken), time.GetUtcNow()), cancellationToken);
        await ExecuteAsync(
            owner,
            $"INSERT INTO database_timeline (server, timeline, is_confirmed) {Now} ON CONFLICT (is_one) DO UPDATE SET server = excluded.server, timeline = excluded.timeline, is_confirmed = excluded.is_confirmed",
            cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return change;
    }

    private static async Task<TimelineChange> ChangeAsync(NpgsqlConnection owner, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"SELECT was.is_confirmed FROM database_timeline AS was, ({Now}) AS now WHERE (was.server, was.timeline) <> (now.server, now.timeline)", owner);
        return await command.ExecuteScalarAsync(cancellationToken) switch
        {
            null => TimelineChange.None, // or never seen before
            true => TimelineChange.TakenOver,
            _ => TimelineChange.WentBack,
        };
    }

    private static async Task ExecuteAsync(NpgsqlConnection owner, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, owner);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
