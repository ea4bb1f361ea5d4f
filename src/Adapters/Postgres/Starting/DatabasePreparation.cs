using Coordinator.Adapters.Postgres.Backup;
using Coordinator.Adapters.Postgres.Embedded;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Coordinator.Adapters.Postgres;

/// <summary>What comes before a database may be served from: it is durable, it has today's schema, the roles that hosts work under have what is theirs, and one that went back in time says so.</summary>
internal sealed partial class DatabasePreparation(DatabaseServer server, TimeProvider time, ILogger<MigrationRunner> logger)
{
    /// <summary>Everything that only the schema's owner may do. A login that may not take the roles is refused before anything is changed.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        await using var owner = server.CreateOwner();
        await using var connection = await owner.OpenConnectionAsync(cancellationToken);
        await VerifyAsync(connection, cancellationToken);
        await server.Roles.EnsureAsync(connection, cancellationToken);
        var applied = await new MigrationRunner(owner, Migration.Embedded(), time, logger).RunAsync(cancellationToken);
        await server.Roles.GrantAsync(connection, cancellationToken);
        await NoteWhereItIsAsync(connection, cancellationToken);
        return applied;
    }

    private async Task NoteWhereItIsAsync(NpgsqlConnection owner, CancellationToken cancellationToken)
    {
        try
        {
            if ((await DatabaseTimeline.NoteAsync(owner, lostAfter: null, time, logger, cancellationToken)).WentBack) TimelineWatch.LogWentBack(logger);
        }
        catch (PostgresException refused) when (DatabaseTimeline.IsUntold(refused))
        {
            LogUntold(logger, refused); // the watch says what that means
        }
    }

    /// <summary>A pooler between host and server may drop what a connection starts with: then it would work as the schema's owner.</summary>
    public static async Task VerifyRoleAsync(NpgsqlDataSource pool, string role, CancellationToken cancellationToken)
    {
        await using var command = pool.CreateCommand("SELECT current_user::text");
        var taken = await command.ExecuteScalarAsync(cancellationToken);
        if (taken is not string name || name != role) throw new DatabaseStartException($"Connections work as {taken} and not under the role {role}: something between the host and PostgreSQL drops the options that a connection starts with. Connect to the server itself.");
    }

    /// <summary>What a user was shown must survive a power cut: a server that acknowledges without writing is refused.</summary>
    private async Task VerifyAsync(NpgsqlConnection owner, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "SELECT current_setting('server_version_num')::int / 10000, current_setting('fsync'), current_setting('synchronous_commit'), current_database()::text", owner);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var (major, fsync, commit, database) = (reader.GetInt32(0), reader.GetString(1), reader.GetString(2), reader.GetString(3));
        if (major < PostgresBinaries.OldestMajor) throw new DatabaseStartException($"The database is PostgreSQL {major}; {PostgresBinaries.OldestMajor} or newer is needed.");
        if (fsync != "on") throw new DatabaseStartException($"The database has fsync = {fsync}: what it acknowledged can be lost. Set fsync = on in its configuration.");
        if (commit == "off") throw new DatabaseStartException("The database has synchronous_commit = off for the host's role: what it acknowledged can be lost. Set it to on.");
        if (database != server.Database) throw new DatabaseStartException($"The connection string leads to the database {database} without naming it; add Database={database} to it.");
    }

    [LoggerMessage(2132, LogLevel.Debug, "The server does not say where it is.")]
    private static partial void LogUntold(ILogger logger, Exception refused);
}
