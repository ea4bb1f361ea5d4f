using Microsoft.Extensions.Logging;
using Npgsql;

namespace Coordinator.Adapters.Postgres;

/// <summary>
/// Brings a database to the newest schema: the steps it lacks, in order, each in one transaction with its own record in
/// <c>schema_migration</c>, under an advisory lock so that hosts that start together take turns. Running it on a
/// database that has every step changes nothing.
/// </summary>
internal sealed partial class MigrationRunner(NpgsqlDataSource dataSource, IReadOnlyList<Migration> migrations, TimeProvider time, ILogger<MigrationRunner> logger)
{
    /// <summary>Names the lock; any fixed number that nobody else uses in this database.</summary>
    public const long LockKey = 0x636f6f7264_0001;

    /// <summary>How long a step waits for a table that somebody reads, such as a backup: other hosts' appends stand behind it meanwhile.</summary>
    internal static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(2);

    /// <summary>Applies what is missing and returns how many steps that were.</summary>
    /// <exception cref="MigrationException">
    /// A step that was applied has another text now, the database has a step this program does not know, a step was
    /// added below one that is applied, or a step failed (then nothing of it is left).
    /// </exception>
    /// <exception cref="NpgsqlException">The database is away, takes no writes, has no room, or somebody holds what a step changes: the same may pass later.</exception>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await ExecuteAsync(connection, $"SELECT pg_advisory_lock({LockKey})", cancellationToken);
        try
        {
            await EnsureTableAsync(connection, cancellationToken);
            var missing = Missing(migrations, await ReadAppliedAsync(connection, cancellationToken));
            foreach (var migration in missing) await ApplyAsync(connection, migration, cancellationToken);
            return missing.Count;
        }
        finally
        {
            // The lock belongs to the session: when it cannot be given back, the connection is broken and took it along.
            if (connection.State == System.Data.ConnectionState.Open) await ExecuteAsync(connection, $"SELECT pg_advisory_unlock({LockKey})", CancellationToken.None);
        }
    }

    private static List<Migration> Missing(IReadOnlyList<Migration> known, IReadOnlyDictionary<int, AppliedMigration> applied)
    {
        var duplicate = known.GroupBy(migration => migration.Number).FirstOrDefault(group => group.Count() > 1);
        if (duplicate is not null) throw new MigrationException($"Two migrations have the number {duplicate.Key}: {string.Join(", ", duplicate.Select(migration => migration.Name))}.");

        var numbers = known.Select(migration => migration.Number).ToHashSet();
        var foreign = applied.Values.Where(migration => !numbers.Contains(migration.Number)).MinBy(migration => migration.Number);
        if (foreign is not null)
        {
            throw new MigrationException($"The database has {foreign.Name}, which this release does not know: it was migrated by a newer release. Start that release, or restore a backup of this one.");
        }

        var newest = applied.Count == 0 ? 0 : applied.Keys.Max();
        var missing = new List<Migration>();
        foreach (var migration in known.OrderBy(migration => migration.Number))
        {
            if (!applied.TryGetValue(migration.Number, out var was))
            {
                if (migration.Number < newest) throw new MigrationException($"{migration.Name} is not applied although {applied[newest].Name} is: migrations are only ever added at the end.");
                missing.Add(migration);
            }
            else if (was.Checksum != migration.Checksum || was.Name != migration.Name)
            {
                throw new MigrationException($"{migration.Name} is not what was applied as {was.Name} (checksum {Beginning(was.Checksum)}, now {Beginning(migration.Checksum)}): an applied migration is never changed; add a new one.");
            }
        }

        return missing;
    }

    /// <summary>What the database has may be anything, if somebody changed it by hand.</summary>
    private static string Beginning(string checksum) => checksum.Length > 12 ? checksum[..12] : $"'{checksum}'";

    private async Task ApplyAsync(NpgsqlConnection connection, Migration migration, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        try
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await ExecuteAsync(connection, $"SET LOCAL lock_timeout = '{LockPatience.TotalMilliseconds:0}ms'; {migration.Sql}", cancellationToken);
            await using var record = new NpgsqlCommand("INSERT INTO schema_migration (number, name, checksum, elapsed_ms) VALUES ($1, $2, $3, $4)", connection)
            {
                Parameters =
                {
                    new() { Value = migration.Number },
                    new() { Value = migration.Name },
                    new() { Value = migration.Checksum },
                    new() { Value = (int)time.GetElapsedTime(started).TotalMilliseconds },
                },
            };
            await record.ExecuteNonQueryAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }
        catch (PostgresException failure) when (!DatabaseFailure.MayPass(failure))
        {
            throw new MigrationException($"{migration.Name} failed at position {failure.Position}: {failure.SqlState} {failure.MessageText}. Nothing of it was applied.", failure);
        }

        LogApplied(migration.Name, time.GetElapsedTime(started).TotalMilliseconds);
    }

    private static Task EnsureTableAsync(NpgsqlConnection connection, CancellationToken cancellationToken) => ExecuteAsync(
        connection,
        """
        CREATE TABLE IF NOT EXISTS schema_migration (
            number integer PRIMARY KEY,
            name text NOT NULL,
            checksum text NOT NULL,
            elapsed_ms integer NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now())
        """,
        cancellationToken);

    private static async Task<IReadOnlyDictionary<int, AppliedMigration>> ReadAppliedAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT number, name, checksum FROM schema_migration", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var applied = new Dictionary<int, AppliedMigration>();
        while (await reader.ReadAsync(cancellationToken)) applied.Add(reader.GetInt32(0), new(reader.GetInt32(0), reader.GetString(1), reader.GetString(2)));
        return applied;
    }

    /// <summary>Without a time limit: another host may hold the lock, and a step takes what it takes; cancellation ends both.</summary>
    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private sealed record AppliedMigration(int Number, string Name, string Checksum);
}
