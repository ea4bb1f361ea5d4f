using Coordinator.Adapters.Postgres.Embedded;
using Coordinator.Ports;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Coordinator.Adapters.Postgres.Backup;

/// <summary>
/// What an operator does with the whole database: copies it while hosts serve, restores a copy, and says of one that was
/// restored by PostgreSQL's own means that it went back. Refusals are <see cref="PortException"/>s that say what to do.
/// </summary>
public sealed class DatabaseBackup
{
    private const string Restored = "coordinator_restored";
    private const string Replaced = "coordinator_replaced";

    private readonly DatabaseServer server;
    private readonly TimeProvider time;
    private readonly ILogger<MigrationRunner> logger;
    private readonly IReadOnlyList<Migration> known = Migration.Embedded();

    internal DatabaseBackup(DatabaseServer server, TimeProvider time, ILogger<MigrationRunner> logger) => (this.server, this.time, this.logger) = (server, time, logger);

    /// <summary>How long a change waits for what somebody else holds: an operator is told who that is, and not left to guess.</summary>
    internal TimeSpan LockPatience { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Refuses to go on where no host has ever made a database. Nothing is started or made for that.</summary>
    /// <exception cref="PortException"><see cref="PortFailureKind.Rejected"/>: there is none; it says where it was looked for.</exception>
    public Task DemandOneAsync(CancellationToken cancellationToken) => ToldAsync("looking for the database", async () =>
    {
        DemandCluster();
        if (server.Embedded is not null) return true; // its schema is looked at when it has been started
        await using var source = server.CreateMaintenance();
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await DemandSchemaAsync(connection, cancellationToken);
        return true;
    });

    /// <summary>Copies the database, as of one moment, into an empty folder. A host may be serving from it; the embedded server is started when none is.</summary>
    /// <returns>How many sessions the copy has.</returns>
    public Task<long> WriteAsync(string folder, CancellationToken cancellationToken) => ToldAsync("copying the database", async () =>
    {
        await using var source = server.CreateMaintenance();
        await StartUnlessServingAsync(source, cancellationToken);
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await DemandSchemaAsync(connection, cancellationToken);
        return (await DatabaseCopy.WriteAsync(connection, folder, time.GetUtcNow(), cancellationToken)).Sessions;
    });

    /// <summary>Refuses to go on where a restore would be, and for a database by connection string makes the roles that it lacks. Nothing of the database itself is changed.</summary>
    /// <exception cref="PortException"><see cref="PortFailureKind.Rejected"/>: it says what to do.</exception>
    public Task DemandPlaceAsync(bool replace, CancellationToken cancellationToken) => ToldAsync("looking for a place to restore into", async () =>
    {
        if (server.Embedded is not null) return true; // looked at when it has been started
        await using var source = server.CreateMaintenance(lockPatience: LockPatience);
        await DemandPlaceAsync(source, replace, cancellationToken);
        return true;
    });

    /// <summary>
    /// Puts the copy in <paramref name="folder"/> in place of the database, all of it or nothing, as one that went back in
    /// time. No host may be serving. A database by connection string must be empty; the embedded one must be, unless
    /// <paramref name="replace"/> gives up what it holds.
    /// </summary>
    /// <returns>How many sessions it has.</returns>
    public Task<long> RestoreAsync(string folder, bool replace, CancellationToken cancellationToken) => ToldAsync("restoring the database", async () =>
    {
        var manifest = await DatabaseCopy.VerifyAsync(folder, cancellationToken);
        var steps = StepsOf(manifest);
        if (server.Embedded is not { } embedded)
        {
            await using var source = server.CreateMaintenance(lockPatience: LockPatience);
            await DemandPlaceAsync(source, replace, cancellationToken);
            await FillAsync(source, folder, manifest, steps, manifest.Incarnation, cancellationToken);
            return manifest.Sessions;
        }

        await StartAloneAsync(embedded, cancellationToken);
        await ReplaceAsync(embedded, folder, manifest, steps, replace, cancellationToken);
        return manifest.Sessions;
    });

    /// <summary>
    /// For a database that was restored, or that failed over and lost what it had acknowledged, by other means than
    /// <see cref="RestoreAsync"/>: before any host serves from it, it is made to say that it went back in time.
    /// </summary>
    /// <returns>How many sessions it has.</returns>
    public Task<long> SayRestoredAsync(CancellationToken cancellationToken) => ToldAsync("saying that the database went back", async () =>
    {
        DemandCluster();
        if (server.Embedded is { } embedded) await StartAloneAsync(embedded, cancellationToken);
        await using var source = server.CreateMaintenance(lockPatience: LockPatience);
        await using (var connection = await source.OpenConnectionAsync(cancellationToken)) await DemandSchemaAsync(connection, cancellationToken);
        await new MigrationRunner(source, known, time, logger).RunAsync(cancellationToken); // what it says needs the tables of today
        return await AloneAsync(source, async connection =>
        {
            await GoneBack.SayAsync(connection, GoneBack.NextIncarnation(await GoneBack.HighestAsync(connection, cancellationToken), time.GetUtcNow()), cancellationToken);
            return await CountSessionsAsync(connection, cancellationToken);
        }, cancellationToken);
    });

    private async Task DemandPlaceAsync(NpgsqlDataSource source, bool replace, CancellationToken cancellationToken)
    {
        await using (var connection = await source.OpenConnectionAsync(cancellationToken))
        {
            await DemandNoHostAsync(connection, cancellationToken);
            if (replace) throw new PortException(PortFailureKind.Rejected, "--replace is for the embedded database only. Make an empty one, name it in Database:ConnectionString, and restore into that without the option.");
        }

        if (await HoldsAnythingAsync(source, cancellationToken)) throw new PortException(PortFailureKind.Rejected, "The database is not empty. Make an empty one, name it in Database:ConnectionString, and restore into that.");
        await using var owner = await source.OpenConnectionAsync(cancellationToken);
        await server.Roles.EnsureAsync(owner, cancellationToken); // of another name it has roles of its own, without which no host would start on what was restored
    }

    /// <summary>The schema of the copy, which today's release must know step by step; a host that starts applies what is newer.</summary>
    private List<Migration> StepsOf(BackupManifest manifest)
    {
        var steps = new List<Migration>();
        foreach (var step in manifest.Migrations)
        {
            var here = known.FirstOrDefault(migration => migration.Number == step.Number)
                ?? throw new PortException(PortFailureKind.Rejected, $"The backup has {step.Name}, which this release does not know: it was made by a newer release. Restore it with that one.");
            if (here.Checksum != step.Checksum) throw new PortException(PortFailureKind.Rejected, $"The backup's {step.Name} is another one than this release's: it was not made by a release of this program.");
            steps.Add(here);
        }

        return steps;
    }

    /// <summary>Fills a database beside the present one, then swaps their names: the present one stays whole until the new one is.</summary>
    private async Task ReplaceAsync(EmbeddedPostgres embedded, string folder, BackupManifest manifest, List<Migration> steps, bool replace, CancellationToken cancellationToken)
    {
        int highest;
        await using (var present = server.CreateMaintenance(lockPatience: LockPatience))
        {
            if (!replace && await HoldsAnythingAsync(present, cancellationToken)) throw new PortException(PortFailureKind.Rejected, "The database is not empty, and what it holds would be gone. Back it up, then restore with --replace.");
            highest = await HoldsAnythingAsync(present, cancellationToken) ? await HighestAsync(present, cancellationToken) : 0;
        }

        await AsAdministratorAsync(embedded, [$"DROP DATABASE IF EXISTS {Restored}", $"DROP DATABASE IF EXISTS {Replaced}", $"CREATE DATABASE {Restored} OWNER {EmbeddedLayout.Role}"], cancellationToken);
        await using (var empty = server.CreateMaintenance(Restored, LockPatience)) await FillAsync(empty, folder, manifest, steps, Math.Max(highest, manifest.Incarnation), cancellationToken);
        await AsAdministratorAsync(
            embedded,
            [$"BEGIN; ALTER DATABASE {EmbeddedLayout.Database} RENAME TO {Replaced}; ALTER DATABASE {Restored} RENAME TO {EmbeddedLayout.Database}; COMMIT", $"DROP DATABASE {Replaced}"],
            cancellationToken);
    }

    private async Task FillAsync(NpgsqlDataSource source, string folder, BackupManifest manifest, List<Migration> steps, int highest, CancellationToken cancellationToken)
    {
        await new MigrationRunner(source, steps, time, logger).RunAsync(cancellationToken);
        await AloneAsync(source, async connection =>
        {
            await DatabaseCopy.ReadAsync(connection, folder, manifest, cancellationToken);
            await GoneBack.SayAsync(connection, GoneBack.NextIncarnation(highest, time.GetUtcNow()), cancellationToken);
            return true;
        }, cancellationToken);
    }

    /// <summary>In one transaction, while hosts that start wait as they do for a migration, and only when none is connected.</summary>
    private static async Task<T> AloneAsync<T>(NpgsqlDataSource source, Func<NpgsqlConnection, Task<T>> work, CancellationToken cancellationToken)
    {
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using (var alone = new NpgsqlCommand($"SELECT pg_advisory_xact_lock({MigrationRunner.LockKey})", connection)) await alone.ExecuteNonQueryAsync(cancellationToken);
        await DemandNoHostAsync(connection, cancellationToken);
        var answer = await work(connection);
        await transaction.CommitAsync(cancellationToken);
        return answer;
    }

    private static async Task DemandNoHostAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var hosts = new NpgsqlCommand($"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name ~ '{DatabaseServer.NameOfHosts}'", connection);
        if (await hosts.ExecuteScalarAsync(cancellationToken) is > 0L) throw new PortException(PortFailureKind.Rejected, "A host is connected to the database. Stop every host first.");
    }

    private void DemandCluster()
    {
        if (server.Embedded is { HasData: false } embedded) throw new PortException(PortFailureKind.Rejected, $"There is no database in {embedded.Root}. Name the folder that the host keeps its data in (DataDirectory), or run this where the host is started.");
    }

    private static async Task DemandSchemaAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var table = new NpgsqlCommand("SELECT to_regclass('schema_migration') IS NOT NULL", connection);
        if (await table.ExecuteScalarAsync(cancellationToken) is not true) throw new PortException(PortFailureKind.Rejected, $"The database {connection.Database} is none of a host's: it has no schema. Name the one that the host uses (Database:ConnectionString, or DataDirectory).");
    }

    /// <summary>A host that has the folder is not waited for, as one that starts would: an operator is told at once.</summary>
    private static Task StartAloneAsync(EmbeddedPostgres embedded, CancellationToken cancellationToken)
    {
        (embedded.OwnerPatience, embedded.OwnerAdvice) = (TimeSpan.Zero, "Stop it first: this is done to that folder's database alone.");
        return embedded.StartAsync(cancellationToken);
    }

    private async Task StartUnlessServingAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        if (server.Embedded is not { } embedded) return;
        try
        {
            await using var connection = await source.OpenConnectionAsync(cancellationToken);
        }
        catch (NpgsqlException)
        {
            embedded.OwnerAdvice = "Its database does not answer: wait until it does, or until the host has stopped.";
            await embedded.StartAsync(cancellationToken); // nobody serves from it; if somebody is about to, it says so
        }
    }

    private static async Task<bool> HoldsAnythingAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        foreach (var (table, _) in await BackupSchema.TablesAsync(connection, cancellationToken))
        {
            await using var any = new NpgsqlCommand($"SELECT EXISTS (SELECT FROM {table})", connection);
            if (await any.ExecuteScalarAsync(cancellationToken) is true) return true;
        }

        return false;
    }

    private static async Task<int> HighestAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        return await GoneBack.HighestAsync(connection, cancellationToken);
    }

    private static async Task<long> CountSessionsAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT count(*) FROM session_head WHERE version > 0", connection);
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private static async Task AsAdministratorAsync(EmbeddedPostgres embedded, IReadOnlyList<string> statements, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(embedded.AdministratorConnectionString) { Pooling = false, CommandTimeout = 0 }.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        foreach (var sql in statements)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    private async Task<T> ToldAsync<T>(string doing, Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception failure) when (failure is DatabaseStartException or MigrationException)
        {
            throw new PortException(PortFailureKind.Rejected, failure.Message, inner: failure);
        }
        catch (PostgresException held) when (held.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            await using var source = server.CreateMaintenance();
            throw new PortException(PortFailureKind.Unavailable, await LockHolders.TellAsync(source, CancellationToken.None), inner: held);
        }
        catch (Exception failure) when (DatabaseFailure.IsOne(failure))
        {
            throw DatabaseFailure.ToPort(failure, doing);
        }
    }
}
