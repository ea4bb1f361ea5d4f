using Microsoft.Extensions.Logging;
using Npgsql;

namespace Coordinator.Adapters.Postgres.Backup;

/// <summary>
/// Finds out that the database was promoted, or restored by PostgreSQL's own means: either begins another timeline of the server's log, or is another server. A disk that is put
/// back under a server leaves neither: only who saw the log reach further knows of it.
/// That a standby was to confirm each commit is no reason to believe that nothing was lost: a commit whose wait for it was given up stands, on the first server alone.
/// </summary>
internal static class DatabaseTimeline
{
    private const string Now = """
        SELECT (SELECT system_identifier FROM pg_control_system()) AS server,
            ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint AS timeline
        """;

    private const string Sight = $"""
        SELECT server, timeline, {GoneBack.Said} AS said,
            (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint AS started,
            ((SELECT checkpoint_lsn FROM pg_control_checkpoint()) - '0/0')::bigint AS begun,
            (pg_current_wal_flush_lsn() - '0/0')::bigint AS durable
        FROM ({Now}) AS now
        """;

    /// <summary>True when the server does not say where it is: some that others run do not let their users ask.</summary>
    public static bool IsUntold(Exception failure) => failure is PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.FeatureNotSupported or PostgresErrorCodes.UndefinedFunction };

    /// <summary>Where the database is now, and how far it has come.</summary>
    public static async Task<DatabaseSight> FindAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        await using var command = source.CreateCommand(Sight);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        await row.ReadAsync(cancellationToken);
        return new(new(row.GetInt64(0), row.GetInt64(1)), row.GetInt32(2), row.GetInt64(3), row.GetInt64(4), row.GetInt64(5));
    }

    /// <summary>
    /// Looks, as the schema's owner, and notes what it finds. When the database is not where it was, or is behind what the caller saw of it, it may have gone back: it says so since, by the
    /// same transaction, and every session is another incarnation. Hosts that serve from it meanwhile are fenced off, each session's actor by its epoch and each member by its row.
    /// </summary>
    /// <param name="owner">A connection as the schema's owner.</param>
    /// <param name="lostAfter">The incarnation that the database last said, as the caller saw it before it found it behind; null when it did not. Where it says a later one by now, another host was first.</param>
    /// <exception cref="PostgresException">Among others: somebody, who is told of, holds what it changes. To be tried again.</exception>
    public static async Task<DatabaseNote> NoteAsync(NpgsqlConnection owner, int? lostAfter, TimeProvider time, ILogger logger, CancellationToken cancellationToken)
    {
        await using var transaction = await owner.BeginTransactionAsync(cancellationToken);
        await ExecuteAsync(owner, $"SELECT pg_advisory_xact_lock({MigrationRunner.LockKey})", cancellationToken); // hosts take turns
        var said = await GoneBack.SaidAsync(owner, cancellationToken);
        var wentBack = said <= lostAfter || await IsElsewhereAsync(owner, cancellationToken);
        if (wentBack)
        {
            await HoldAsync(owner, transaction, time, logger, cancellationToken);
            var highest = Math.Max(await GoneBack.HighestAsync(owner, cancellationToken), Math.Max(said, lostAfter ?? 0));
            said = GoneBack.NextIncarnation(highest, time.GetUtcNow());
            await GoneBack.SayAsync(owner, said, cancellationToken);
        }

        // The last column is what hosts of an earlier version believe in: none of them is to.
        await ExecuteAsync(
            owner,
            $"INSERT INTO database_timeline (server, timeline, is_confirmed) SELECT server, timeline, false FROM ({Now}) AS now ON CONFLICT (is_one) DO UPDATE SET server = excluded.server, timeline = excluded.timeline, is_confirmed = false",
            cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return new(wentBack, said);
    }

    private static async Task HoldAsync(NpgsqlConnection owner, NpgsqlTransaction transaction, TimeProvider time, ILogger logger, CancellationToken cancellationToken)
    {
        if (await GoneBack.TryHoldAsync(owner, transaction, cancellationToken) is not { } held) return;
        TimelineWatch.LogHeld(logger, string.Join(", ", await GoneBack.HoldersAsync(owner, cancellationToken)));
        await Task.Delay(MigrationRunner.LockPatience, time, cancellationToken); // with every other host's turn held back: what stood behind the wait goes on first
        throw held;
    }

    /// <summary>False as well of one that was never seen before.</summary>
    private static async Task<bool> IsElsewhereAsync(NpgsqlConnection owner, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"SELECT EXISTS (SELECT FROM database_timeline AS was, ({Now}) AS now WHERE (was.server, was.timeline) <> (now.server, now.timeline))", owner);
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    private static async Task ExecuteAsync(NpgsqlConnection owner, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, owner);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
