using System.Diagnostics;
using System.Globalization;
using Coordinator.Adapters.Postgres;
using Coordinator.Adapters.Postgres.Backup;
using Coordinator.Adapters.Postgres.Embedded;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;

namespace Coordinator.Tests.Conformance.Postgres;

/// <summary>A server whose disk is put back under hosts that go on: it is the same server, on the same timeline, and lacks what it acknowledged.</summary>
public sealed class PutBackDatabaseTests : IAsyncLifetime
{
    /// <summary>More of the log than was lost.</summary>
    private const string Much = "SELECT pg_logical_emit_message(true, 'much', repeat('x', 4000000))";

    private readonly EmbeddedServerFolder folder = new();
    private EmbeddedPostgres? server;

    private string Cluster => folder.Layout.Cluster;

    private string Copy => $"{folder.Root}-copy";

    public async Task InitializeAsync()
    {
        await StartAsync();
        await PostgresFixture.MigrateAsync(folder.Layout.Connection().ConnectionString);
    }

    public async Task DisposeAsync()
    {
        await folder.DisposeAsync();
        if (Directory.Exists(Copy)) Directory.Delete(Copy, recursive: true);
    }

    [Fact]
    public async Task Every_session_is_another_incarnation_once_for_all_hosts_and_none_that_comes_later_says_it_again()
    {
        await using var one = new WatchingHost(folder);
        await using var other = new WatchingHost(folder);
        var lease = await OpenAsync(one.Sessions.Journal);
        await CopyAsync();
        await one.LookAsync();
        await other.LookAsync();
        await WriteAsync(one, lease);
        await one.LookAsync();
        await other.LookAsync();
        await PutBackAsync();

        await one.LookAsync();
        var said = await one.IncarnationAsync(lease);
        await other.LookAsync();
        await using var later = new WatchingHost(folder);
        await later.LookAsync();
        foreach (var again in new[] { one, other, later }) await again.LookAsync();

        Assert.NotEqual(lease.Incarnation, said);
        Assert.Equal(said, await one.IncarnationAsync(lease));
        Assert.Equal((1, 1, 0), (one.Times, other.Times, later.Times));
        Assert.False(await one.Sessions.Journal.AppendAsync(lease, Append(1), default));
    }

    [Fact]
    public async Task So_it_is_where_more_was_written_before_the_first_look_than_was_lost()
    {
        await using var host = new WatchingHost(folder);
        var lease = await OpenAsync(host.Sessions.Journal);
        await CopyAsync();
        await WriteAsync(host, lease);
        await host.LookAsync();
        var before = await DurableAsync();
        await PutBackAsync();
        await folder.AskAsync(Much);
        Assert.True(await DurableAsync() > before);

        await host.LookAsync();

        Assert.NotEqual(lease.Incarnation, await host.IncarnationAsync(lease));
    }

    [Fact]
    public async Task So_it_is_at_a_later_look_where_the_first_one_found_a_table_held_and_more_was_written_since_than_was_lost()
    {
        await using var host = new WatchingHost(folder);
        var lease = await OpenAsync(host.Sessions.Journal);
        await CopyAsync();
        await WriteAsync(host, lease);
        await host.LookAsync();
        await PutBackAsync();
        await using (var reader = await host.Sessions.Owner.OpenConnectionAsync())
        await using (await reader.BeginTransactionAsync())
        {
            await using (var read = new NpgsqlCommand("SELECT count(*) FROM session_head", reader)) await read.ExecuteScalarAsync();
            await host.LookAsync();
            await host.LookAsync();
        }

        Assert.Equal((lease.Incarnation, 1), (await host.IncarnationAsync(lease), host.Times));
        await folder.AskAsync(Much);
        await CheckpointAsync();
        await host.LookAsync();

        Assert.NotEqual(lease.Incarnation, await host.IncarnationAsync(lease));
        Assert.Equal(2, host.Times);
    }

    [Fact]
    public async Task Put_back_again_it_is_said_again()
    {
        await using var host = new WatchingHost(folder);
        var lease = await OpenAsync(host.Sessions.Journal);
        await CopyAsync();
        await WriteAsync(host, lease);
        await host.LookAsync();
        await PutBackAsync();
        await host.LookAsync();
        var first = await host.IncarnationAsync(lease);
        await PutBackAsync();

        await host.LookAsync();

        Assert.True(await host.IncarnationAsync(lease) > first);
        Assert.Equal(2, host.Times);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_server_that_only_ended_and_came_back_lost_nothing(bool killed)
    {
        await using var host = new WatchingHost(folder);
        var lease = await OpenAsync(host.Sessions.Journal);
        await host.LookAsync();
        for (var round = 1L; round <= 3; round++)
        {
            if (killed)
            {
                await folder.KillServerAsync(); // its supervisor starts it again
            }
            else
            {
                await StopAsync();
                await StartAsync();
            }

            await folder.AskUntilAnsweredAsync("SELECT 1");
            host.LeaveConnections();

            await host.LookAsync();

            Assert.True(await host.Sessions.Journal.AppendAsync(lease, Append(round), default));
            await host.LookAsync();
        }

        Assert.Equal((lease.Incarnation, 0), (await host.IncarnationAsync(lease), host.Times));
    }

    [Fact]
    public async Task A_host_looks_at_its_own_server_too_which_may_die_and_come_back_on_another_disk()
    {
        await StopAsync();
        var (time, keeper) = (new ManualTime(), new CountingKeeper());
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new($"{DatabaseOptions.Section}:Embedded:DataDirectory", folder.Root)]).Build();
        await using var services = new ServiceCollection().AddLogging().AddPostgres(configuration).BuildServiceProvider();
        var (starts, own) = (1, services.GetRequiredService<DatabaseServer>().Embedded!);
        own.Launcher = (layout, binaries, user) =>
        {
            switch (Interlocked.Increment(ref starts))
            {
                case 3: CopyFolder(Cluster, Copy); break;
                case 4: Replace(); break;
            }

            return GuardedServer.Start(layout, binaries, user);
        };
        await services.GetRequiredService<DatabaseStarter>().StartAsync(default);
        var journal = services.GetRequiredService<ISessionJournal>();
        var lease = await OpenAsync(journal);
        await folder.KillServerAsync();
        await folder.AskUntilAnsweredAsync("SELECT 1");
        await folder.AskAsync("DELETE FROM database_timeline");
        await folder.AskAsync(Much);
        using var watch = ActivatorUtilities.CreateInstance<TimelineWatch>(services, time, new IKeepsSessions[] { keeper }, NullLogger<TimelineWatch>.Instance);
        await watch.StartAsync(default);
        await Eventually.HoldsAsync(async () => await folder.AskAsync("SELECT count(*) FROM database_timeline") == "1", "that the host looks");
        await folder.KillServerAsync();
        await folder.AskUntilAnsweredAsync("SELECT 1");

        await Eventually.AdvanceAsync(time, TimelineWatch.Interval, () => keeper.Times > 0);
        await watch.StopAsync(default);

        Assert.NotEqual(lease.Incarnation, (await journal.FindHeadAsync(lease.Key, default))!.Incarnation);
    }

    private static async Task WriteAsync(WatchingHost host, JournalLease lease)
    {
        for (var version = 1L; version < 10; version++) Assert.True(await host.Sessions.Journal.AppendAsync(lease, Append(version), default));
    }

    /// <summary>A session with one record.</summary>
    private static async Task<JournalLease> OpenAsync(ISessionJournal journal)
    {
        var lease = (await journal.OpenAsync(new(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System)), HostId.New(TimeProvider.System), create: true, default))!;
        Assert.True(await journal.AppendAsync(lease, Append(0), default));
        return lease;
    }

    private static JournalAppend Append(long version) => new(version, "{}"u8.ToArray(), 1, DateTimeOffset.UnixEpoch, null, "{}"u8.ToArray());

    private async Task<long> DurableAsync() => long.Parse((await folder.AskAsync("SELECT (pg_current_wal_flush_lsn() - '0/0')::bigint"))!, CultureInfo.InvariantCulture);

    private async Task StartAsync() => server = await folder.StartHostAsync();

    private async Task StopAsync()
    {
        await server!.DisposeAsync();
        NpgsqlConnection.ClearAllPools();
    }

    private async Task CopyAsync()
    {
        await StopAsync();
        CopyFolder(Cluster, Copy);
        await StartAsync();
    }

    private async Task PutBackAsync()
    {
        await StopAsync();
        Replace();
        await StartAsync();
    }

    private void Replace()
    {
        Directory.Delete(Cluster, recursive: true);
        CopyFolder(Copy, Cluster);
    }

    private async Task CheckpointAsync()
    {
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(server!.AdministratorConnectionString) { Pooling = false });
        await using var command = source.CreateCommand("CHECKPOINT");
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>With its owners, who are others than a test's that runs as root.</summary>
    private static void CopyFolder(string from, string to)
    {
        using var copying = Process.Start("cp", ["-a", from, to]);
        copying.WaitForExit();
        Assert.Equal(0, copying.ExitCode);
    }
}
