using System.Diagnostics;
using System.Globalization;
using Coordinator.Adapters.Postgres;
using Coordinator.Adapters.Postgres.Embedded;
using Coordinator.Ports;
using Coordinator.Tests.Support;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Coordinator.Tests.Conformance.Postgres;

/// <summary>A data folder of one test, the hosts it starts on it, and what a test does to their processes.</summary>
internal sealed class EmbeddedServerFolder : IAsyncDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    private readonly List<EmbeddedPostgres> hosts = [];

    public DatabaseOptions Options { get; } = new()
    {
        Embedded = { DataDirectory = Path.Combine(ClusterStorage.Folder, $"coordinator-embedded-{PrefixedId.NewValue(TimeProvider.System):n}") },
    };

    public string Root => Options.Embedded.DataDirectory;

    public EmbeddedLayout Layout => EmbeddedLayout.For(Options.Embedded);

    /// <summary>A host on this folder, not yet started; ended with the test.</summary>
    public EmbeddedPostgres NewHost(TimeSpan? ownerPatience = null, ILogger<EmbeddedPostgres>? logger = null)
    {
        var host = new EmbeddedPostgres(Options, TimeProvider.System, logger ?? NullLogger<EmbeddedPostgres>.Instance) { OwnerPatience = ownerPatience ?? TimeSpan.FromSeconds(10) };
        hosts.Add(host);
        return host;
    }

    public async Task<EmbeddedPostgres> StartHostAsync()
    {
        var host = NewHost();
        await host.StartAsync(default);
        return host;
    }

    /// <summary>The server's main process, from its pid file.</summary>
    public int ServerProcess => int.Parse(File.ReadLines(Path.Combine(Root, "cluster", "postmaster.pid")).First(), CultureInfo.InvariantCulture);

    /// <summary>The server's lock is free. For a moment a process that the tests are just starting may share it, so it is waited for.</summary>
    public bool NothingLives => FolderLock.IsFree(Layout.ServerLock);

    public async Task<string?> AskAsync(string sql)
    {
        var connection = Layout.Connection();
        connection.Pooling = false;
        await using var source = NpgsqlDataSource.Create(connection);
        await using var command = source.CreateCommand(sql);
        return (await command.ExecuteScalarAsync())?.ToString();
    }

    /// <summary>Asks until there is an answer.</summary>
    public async Task<string?> AskUntilAnsweredAsync(string sql)
    {
        string? answer = null;
        await UntilAsync(
            "the server answers",
            async () =>
            {
                try
                {
                    answer = await AskAsync(sql);
                    return true;
                }
                catch (NpgsqlException)
                {
                    return false;
                }
            });
        return answer;
    }

    public static async Task UntilAsync(string condition, Func<Task<bool>> holds)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await holds())
        {
            if (TimeProvider.System.GetElapsedTime(started) > Bound) throw new TimeoutException($"Not within {Bound.TotalSeconds} s: {condition}.");
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }
    }

    public static Task UntilAsync(string condition, Func<bool> holds) => UntilAsync(condition, () => Task.FromResult(holds()));

    /// <summary>kill -9 of the server's main process; returns when it is gone.</summary>
    public async Task KillServerAsync()
    {
        var killed = string.Create(CultureInfo.InvariantCulture, $"/proc/{ServerProcess}");
        Kill(ServerProcess);
        await UntilAsync("the killed server is gone", () => !Directory.Exists(killed));
    }

    public static void Kill(int process) => _ = NativeMethods.SendSignal(process, NativeMethods.SigKill);

    /// <summary>The processes with this word on their command line.</summary>
    public static IEnumerable<int> ProcessesWith(string word)
    {
        foreach (var process in Process.GetProcesses())
        {
            using (process)
            {
                if (CommandLine(process.Id).Contains(word)) yield return process.Id;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var host in hosts) await host.DisposeAsync();
        foreach (var left in ProcessesWith(Layout.Cluster)) Kill(left);
        await UntilAsync("nothing of the test's server lives", () => NothingLives);
        foreach (var folder in new[] { Root, Layout.RuntimeDirectory, Path.GetDirectoryName(Layout.Reachable().Root)! })
        {
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        }
    }

    private static string[] CommandLine(int process)
    {
        try
        {
            return File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/cmdline")).Split('\0');
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
