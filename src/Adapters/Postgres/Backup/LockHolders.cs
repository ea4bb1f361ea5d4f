using Npgsql;

namespace Coordinator.Adapters.Postgres.Backup;

/// <summary>Who holds what an operator's command waits for in vain, and what to do about it.</summary>
internal static class LockHolders
{
    // The system's own tables are below the first oid that a server gives, and everybody who asks anything holds some of them.
    private static readonly string Sql = $"""
        SELECT DISTINCT format('process %s (%s)', lock.pid,
            concat_ws(', ', coalesce(nullif(activity.application_name, ''), 'without a name'), 'as ' || activity.usename, 'from ' || host(activity.client_addr), activity.state,
                'for ' || extract(epoch FROM date_trunc('second', clock_timestamp() - activity.xact_start))::bigint || ' s'))
        FROM pg_locks AS lock LEFT JOIN pg_stat_activity AS activity ON activity.pid = lock.pid
        WHERE lock.granted AND lock.pid <> pg_backend_pid() AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND (lock.relation >= 16384 OR lock.locktype = 'advisory' AND lock.classid = {MigrationRunner.LockKey >> 32} AND lock.objid = {MigrationRunner.LockKey & uint.MaxValue} AND lock.objsubid = 1)
        ORDER BY 1
        """;

    /// <summary>What an operator is told.</summary>
    public static async Task<string> TellAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        await using var command = source.CreateCommand(Sql);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var holders = new List<string>();
        while (await row.ReadAsync(cancellationToken)) holders.Add(row.GetString(0));
        return holders.Count == 0
            ? "Somebody held what is to be changed, and has let go of it since. No session was changed; run the command again."
            : $"Somebody holds what is to be changed: {string.Join("; ", holders)}. No session was changed. Wait until that has ended, or end it, as with SELECT pg_terminate_backend(process), and run the command again.";
    }
}
