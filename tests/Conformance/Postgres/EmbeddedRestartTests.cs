using System.Collections.Concurrent;
using System.ComponentModel;
using Coordinator.Adapters.Postgres;
using Coordinator.Adapters.Postgres.Embedded;
using Coordinator.Ports;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Coordinator.Tests.Conformance.Postgres;

/// <summary>The host's own PostgreSQL when something goes wrong beside it: it is never fought, never given up, and never hurried.</summary>
public sealed class EmbeddedRestartTests : IAsyncLifetime
{
    private const int TooManyProcesses = 11; // EAGAIN
    private const int Promote = 10; // SIGUSR1: look for the file that says so

    private readonly EmbeddedServerFolder folder = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => folder.DisposeAsync().AsTask();

    [Fact]
    public async Task Started_again_it_is_left_to_its_supervisor_and_waited_for()
    {
        var (host, launches) = (folder.NewHost(), 0);
        host.Launcher = (layout, binaries, user) =>
        {
            Interlocked.Increment(ref launches);
            return GuardedServer.Start(layout, binaries, user);
        };
        await host.StartAsync(default);
        var server = folder.ServerProcess;

        await host.StartAsync(default);

        Assert.Equal(server, folder.ServerProcess);

        await folder.KillServerAsync();
        await host.StartAsync(default);

        Assert.Equal("1", await folder.AskAsync("SELECT 1"));
        await host.DisposeAsync();
        Assert.Equal(2, launches);
        Assert.Empty(EmbeddedServerFolder.ProcessesWith(folder.Layout.Cluster));
        await EmbeddedServerFolder.UntilAsync("nothing of the server lives", () => folder.NothingLives);
    }

    [Fact]
    public async Task A_launch_for_which_the_system_has_no_process_left_is_tried_again()
    {
        var (host, launches) = (folder.NewHost(), 0);
        host.Launcher = (layout, binaries, user) => Interlocked.Increment(ref launches) == 2 ? throw new Win32Exception(TooManyProcesses) : GuardedServer.Start(layout, binaries, user);
        await host.StartAsync(default);

        await folder.KillServerAsync();

        Assert.Equal("1", await folder.AskUntilAnsweredAsync("SELECT 1"));
    }

    [Fact]
    public async Task What_keeps_it_from_coming_back_is_told_as_an_outage()
    {
        var (log, launches) = (new Told(), 0);
        var host = folder.NewHost(logger: log);
        host.Launcher = (layout, binaries, user) => Interlocked.Increment(ref launches) switch
        {
            2 => throw new DatabaseStartException("No room."),
            3 => throw new Win32Exception(TooManyProcesses),
            4 => throw new InvalidOperationException("a bug"),
            _ => GuardedServer.Start(layout, binaries, user),
        };
        await host.StartAsync(default);

        await folder.KillServerAsync();

        Assert.Equal("1", await folder.AskUntilAnsweredAsync("SELECT 1"));
        Assert.Equal([true, true, false], log.OfRestarts.Select(failure => failure is PortException { Kind: PortFailureKind.Unavailable, InnerException: not null }));
    }

    [Fact]
    public async Task Who_fails_at_the_news_of_its_death_keeps_neither_it_from_coming_back_nor_the_others_from_hearing()
    {
        var (host, told) = (folder.NewHost(), false);
        host.Died += () => throw new ObjectDisposedException("the pool");
        host.Died += () => told = true;
        await host.StartAsync(default);

        await folder.KillServerAsync();

        Assert.Equal("1", await folder.AskUntilAnsweredAsync("SELECT 1"));
        Assert.True(told);
    }

    [Fact]
    public async Task Recovery_may_take_longer_than_a_start_while_the_server_says_that_it_is_at_it()
    {
        var layout = await MakeOneThatRecoversUntilItIsPromotedAsync();
        var time = new LaterTime();
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Database:Embedded:DataDirectory", folder.Root)]).Build();
        await using var services = new ServiceCollection().AddLogging().AddSingleton<TimeProvider>(time).AddPostgres(configuration).BuildServiceProvider();
        var server = services.GetRequiredService<DatabaseServer>().Embedded!;
        var start = server.StartAsync(default);
        await EmbeddedServerFolder.UntilAsync("it says that it is recovering", () => start.IsCompleted || server.Recovery > TimeSpan.Zero);

        var half = folder.Options.StartTimeout / 2;
        for (var passed = half; passed <= 2 * folder.Options.StartTimeout; passed += half)
        {
            time.Pass(half);
            await EmbeddedServerFolder.UntilAsync("it has said so again since", () => start.IsCompleted || server.Recovery > passed);
        }

        Assert.Null(start.Exception);
        Assert.StartsWith("The database is recovering", await services.GetRequiredService<IHostDependency>().CheckAsync(default), StringComparison.Ordinal);
        await File.WriteAllTextAsync(Path.Combine(layout.Cluster, "promote"), "");
        _ = NativeMethods.SendSignal(folder.ServerProcess, Promote);
        await start;
        Assert.Equal("1", await folder.AskAsync("SELECT 1"));
        Assert.Equal("The database is still starting.", await services.GetRequiredService<IHostDependency>().CheckAsync(default));
    }

    /// <summary>A standby that may not be read answers what a server answers that has much of its log to replay.</summary>
    private async Task<EmbeddedLayout> MakeOneThatRecoversUntilItIsPromotedAsync()
    {
        var cluster = new EmbeddedCluster(folder.Options.Embedded, TimeProvider.System, NullLogger.Instance);
        var (layout, user) = await cluster.PrepareFolderAsync(default);
        await cluster.PrepareDataAsync(layout, user, default);
        await File.AppendAllTextAsync(Path.Combine(layout.Cluster, "postgresql.conf"), "hot_standby = off\n");
        await File.WriteAllTextAsync(Path.Combine(layout.Cluster, "standby.signal"), "");
        return layout;
    }

    private sealed class Told : ILogger<EmbeddedPostgres>
    {
        private readonly ConcurrentQueue<Exception> restarts = [];

        public IEnumerable<Exception> OfRestarts => restarts;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Id == 2125) restarts.Enqueue(exception!);
        }
    }

    /// <summary>Time stamps that can be made to be later ones; timers do not notice.</summary>
    private sealed class LaterTime : TimeProvider
    {
        private long ahead;

        public void Pass(TimeSpan time) => Interlocked.Add(ref ahead, (long)(time.TotalSeconds * TimestampFrequency));

        public override long GetTimestamp() => base.GetTimestamp() + Interlocked.Read(ref ahead);
    }
}
