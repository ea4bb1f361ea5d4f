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

    /// <summary>Has every commit that is to be durable wait, from when this returns: for a second server, which there is not.</summary>
    public async Task HoldUpCommitsAsync()
    {
        await using var administrator = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(EmbeddedLayout.For(options.Embedded).Connection(EmbeddedLayout.Administrator, "postgres").ConnectionString) { Pooling = false });
        foreach (var sql in new[] { "ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "SELECT pg_reload_conf()" }) await AskAsync(administrator, sql);
        await Eventually.HoldsAsync(() => HoldsUpAsync(administrator), "a commit to wait");
    }

    /// <summary>Whether a commit is seen to wait; it is let go.</summary>
    private static async Task<bool> HoldsUpAsync(NpgsqlDataSource administrator)
    {
        await using var writer = await administrator.OpenConnectionAsync();
        await using var committing = new NpgsqlCommand("SELECT pg_logical_emit_message(true, 'test', '')", writer);
        Task commit = committing.ExecuteScalarAsync();
        while (!commit.IsCompleted)
        {
            if (await AskAsync(administrator, $"SELECT wait_event = 'SyncRep' AND pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = {writer.ProcessID}") is not true) continue;
            await commit.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return true;
        }

        await commit;
        return false;
    }

    private static async Task<object?> AskAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }
}
