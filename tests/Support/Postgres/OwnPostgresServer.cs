using Coordinator.Adapters.Postgres;
using Coordinator.Adapters.Postgres.Embedded;
using Coordinator.Ports;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Coordinator.Tests.Support;

/// <summary>An embedded PostgreSQL for one test alone, which may be killed: as in a host, it comes up again by itself.</summary>
public sealed class OwnPostgresServer : IAsyncDisposable
{
    private readonly string folder = Path.Combine(ClusterStorage.Folder, $"coordinator-own-postgres-{PrefixedId.NewValue(TimeProvider.System):n}");
    private readonly DatabaseOptions options = new();
    private readonly EmbeddedPostgres server;

    private OwnPostgresServer()
    {
        options.Embedded.DataDirectory = folder;
        server = new(options, TimeProvider.System, NullLogger<EmbeddedPostgres>.Instance);
    }

    /// <summary>Connects to its database as the host does.</summary>
    public string ConnectionString => server.ConnectionString;

    /// <param name="hasSchema">Its database has the newest schema; else whoever uses it brings one.</param>
    public static async Task<OwnPostgresServer> StartAsync(bool hasSchema = true)
    {
        var own = new OwnPostgresServer();
        await own.server.StartAsync(CancellationToken.None);
        if (hasSchema) await PostgresFixture.MigrateAsync(own.ConnectionString);
        return own;
    }

    /// <summary>kill -9 of the server's main process. False when it does not run in this moment.</summary>
    public bool Kill() => PostgresMainProcess.Kill(Path.Combine(folder, "cluster"));

    /// <summary>Has every commit that is to be durable wait: for a second server, which there is not.</summary>
    public async Task HoldUpCommitsAsync()
    {
        await using var administrator = NpgsqlDataSource.Create(EmbeddedLayout.For(options.Embedded).Connection(EmbeddedLayout.Administrator, "postgres").ConnectionString);
        foreach (var sql in new[] { "ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "SELECT pg_reload_conf()" })
        {
            await using var command = administrator.CreateCommand(sql);
            await command.ExecuteNonQueryAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }
}
