using System.Globalization;
using Coordinator.Adapters.Postgres;
using Coordinator.Adapters.Postgres.Embedded;
using Coordinator.Ports;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Coordinator.Tests.Support;

/// <summary>
/// Two real servers of which one follows the other. The first can be killed for good and the
/// second promoted, as whoever runs a pair does.
/// </summary>
public sealed class FailOverPair : IAsyncDisposable
{
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(20);

    private readonly string folder = Path.Combine(ClusterStorage.Folder, $"coordinator-pair-{PrefixedId.NewValue(TimeProvider.System):n}");
    private readonly List<GuardedServer> servers = [];

    private FailOverPair() => Directory.CreateDirectory(folder);

    /// <summary>As docs/operations.md has an operator name both: whichever takes writes is meant.</summary>
    public string ConnectionString => new NpgsqlConnectionStringBuilder(First.Connection().ConnectionString) { Host = $"{First.RuntimeDirectory},{Second.RuntimeDirectory}", TargetSessionAttributes = "primary" }.ConnectionString;

    private EmbeddedLayout First => EmbeddedLayout.For(OptionsOf("first").Embedded);

    private EmbeddedLayout Second => EmbeddedLayout.For(OptionsOf("second").Embedded);

    /// <param name="isConfirmed">Each commit waits until the second server has it; otherwise the second follows as it can.</param>
    public static async Task<FailOverPair> StartAsync(bool isConfirmed = true)
    {
        var pair = new FailOverPair();
        await using (var made = new EmbeddedPostgres(pair.OptionsOf("first"), TimeProvider.System, NullLogger<EmbeddedPostgres>.Instance)) await made.StartAsync(CancellationToken.None);
        await pair.CopyAsync();
        await pair.LaunchAsync("first");
        await pair.LaunchAsync("second");
        if (isConfirmed) await SetAsync(pair.First, "synchronous_standby_names", "*");
        await Eventually.HoldsAsync(async () => await AskAsync(pair.First, "SELECT sync_state FROM pg_stat_replication") is string state && state == (isConfirmed ? "sync" : "async"), "that the second server follows the first");
        return pair;
    }

    /// <summary>Waits until the second server has all that the first acknowledged, and has it follow no more: what comes after will be lost.</summary>
    public async Task PartAsync()
    {
        var reached = (string)(await AskAsync(First, "SELECT pg_current_wal_lsn()::text"))!;
        await Eventually.HoldsAsync(async () => await AskAsync(Second, $"SELECT pg_last_wal_replay_lsn() >= '{reached}'::pg_lsn") is true, "that the second server has what the first has");
        await SetAsync(Second, "primary_conninfo", "");
        await Eventually.HoldsAsync(async () => await AskAsync(Second, "SELECT count(*) FROM pg_stat_wal_receiver") is 0L, "that the second server follows no more");
    }

    /// <summary>kill -9 of the first server, which nobody starts again.</summary>
    public async Task KillFirstAsync()
    {
        var process = File.ReadLines(Path.Combine(First.Cluster, "postmaster.pid")).First();
        _ = NativeMethods.SendSignal(int.Parse(process, CultureInfo.InvariantCulture), NativeMethods.SigKill);
        await servers[0].Exited;
    }

    /// <summary>Has the second take over.</summary>
    public async Task PromoteSecondAsync() => await AskAsync(Second, "SELECT pg_promote()");

    public async ValueTask DisposeAsync()
    {
        foreach (var server in servers)
        {
            await server.StopAsync(StopPatience, TimeProvider.System);
            await server.DisposeAsync();
        }

        foreach (var left in new[] { folder, First.RuntimeDirectory, Second.RuntimeDirectory })
            if (Directory.Exists(left)) Directory.Delete(left, recursive: true);
    }

    private static async Task SetAsync(EmbeddedLayout layout, string name, string value)
    {
        await AskAsync(layout, $"ALTER SYSTEM SET {name} = '{value}'");
        await AskAsync(layout, "SELECT pg_reload_conf()");
    }

    private static async Task<object?> AskAsync(EmbeddedLayout layout, string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(layout.Connection(EmbeddedLayout.Administrator, "postgres").ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    private DatabaseOptions OptionsOf(string name) => new() { Embedded = { DataDirectory = Path.Combine(folder, name) } };

    private async Task LaunchAsync(string name)
    {
        var options = OptionsOf(name);
        var cluster = new EmbeddedCluster(options.Embedded, TimeProvider.System, NullLogger.Instance);
        var (layout, user) = await cluster.PrepareFolderAsync(CancellationToken.None);
        var binaries = await cluster.PrepareDataAsync(layout, user, CancellationToken.None);
        servers.Add(await new ServerLaunch(layout, binaries, user, options.StartTimeout, TimeProvider.System).StartAsync(CancellationToken.None));
    }

    /// <summary>Makes the second of what the first is at rest, to follow it from there.</summary>
    private async Task CopyAsync()
    {
        var (layout, _) = await new EmbeddedCluster(OptionsOf("second").Embedded, TimeProvider.System, NullLogger.Instance).PrepareFolderAsync(CancellationToken.None);
        var copied = await ShortCommand.RunAsync(null, ["cp", "-a", First.Cluster, layout.Cluster], TimeSpan.FromMinutes(1), TimeProvider.System, CancellationToken.None);
        if (copied is not { ExitCode: 0 }) throw new InvalidOperationException($"The server's data could not be copied: {copied?.Error}");
        await File.WriteAllTextAsync(Path.Combine(layout.Cluster, "standby.signal"), string.Empty);
        await File.AppendAllTextAsync(Path.Combine(layout.Cluster, "postgresql.auto.conf"), $"primary_conninfo = 'host={First.RuntimeDirectory} port={EmbeddedLayout.Port} user={EmbeddedLayout.Administrator}'\n");
    }
}
