using System.Diagnostics;
using System.Globalization;
using Coordinator.Adapters.Postgres;
using Coordinator.Adapters.Postgres.Backup;
using Coordinator.Adapters.Postgres.Embedded;
using Coordinator.Ports;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;

namespace Coordinator.Tests.Conformance.Postgres;

/// <summary>The host's own PostgreSQL: it starts, comes back, and never outlives its host nor fights with another.</summary>
public sealed class EmbeddedPostgresTests : IAsyncLifetime
{
    private readonly EmbeddedServerFolder folder = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => folder.DisposeAsync().AsTask();

    [Fact]
    public async Task It_starts_durable_and_with_a_role_that_row_level_security_binds_and_stops_without_a_trace()
    {
        var host = await folder.StartHostAsync();

        Assert.Equal("on,on,on", await folder.AskAsync("SELECT concat_ws(',', current_setting('fsync'), current_setting('synchronous_commit'), current_setting('full_page_writes'))"));
        Assert.Equal("coordinator f f", await folder.AskAsync("SELECT concat_ws(' ', current_user, rolsuper, rolbypassrls) FROM pg_roles WHERE rolname = current_user"));
        Assert.NotEqual(0u, uint.Parse(Status(folder.ServerProcess, "Uid"), CultureInfo.InvariantCulture));
        Assert.Equal(host.ConnectionString, folder.NewHost().ConnectionString);

        await host.DisposeAsync();
        Assert.Empty(EmbeddedServerFolder.ProcessesWith(folder.Layout.Cluster));
        await EmbeddedServerFolder.UntilAsync("nothing of the server lives", () => folder.NothingLives);
    }

    [Fact]
    public async Task The_hosts_environment_does_not_reach_it()
    {
        Environment.SetEnvironmentVariable("COORDINATOR_CANARY", "secret");
        await folder.StartHostAsync();

        var environment = await File.ReadAllTextAsync(string.Create(CultureInfo.InvariantCulture, $"/proc/{folder.ServerProcess}/environ"));

        Assert.DoesNotContain("CANARY", environment, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Data_survives_a_restart_of_the_host()
    {
        await using (await folder.StartHostAsync()) await folder.AskAsync("CREATE TABLE kept AS SELECT 42 AS answer");

        await folder.StartHostAsync();

        Assert.Equal("42", await folder.AskAsync("SELECT answer FROM kept"));
    }

    [Fact]
    public async Task Killed_it_is_back_and_has_what_it_acknowledged()
    {
        await folder.StartHostAsync();
        await folder.AskAsync("CREATE TABLE kept AS SELECT 42 AS answer");
        var killed = folder.ServerProcess;

        EmbeddedServerFolder.Kill(killed);

        Assert.Equal("42", await folder.AskUntilAnsweredAsync("SELECT answer FROM kept"));
        Assert.NotEqual(killed, folder.ServerProcess);
    }

    [Fact]
    public async Task Killed_twice_it_is_back_twice()
    {
        await folder.StartHostAsync();
        for (var i = 0; i < 2; i++)
        {
            EmbeddedServerFolder.Kill(folder.ServerProcess);
            Assert.Equal("1", await folder.AskUntilAnsweredAsync("SELECT 1"));
        }
    }

    [Fact]
    public async Task Its_guard_killed_the_server_is_ended_and_started_under_a_new_one()
    {
        await folder.StartHostAsync();
        await folder.AskAsync("CREATE TABLE kept AS SELECT 42 AS answer");
        var before = folder.ServerProcess;

        foreach (var guard in EmbeddedServerFolder.ProcessesWith("coordinator-postgres").Intersect(EmbeddedServerFolder.ProcessesWith(folder.Layout.Cluster)).ToList()) EmbeddedServerFolder.Kill(guard);

        await EmbeddedServerFolder.UntilAsync("the old server is gone", () => !Directory.Exists(string.Create(CultureInfo.InvariantCulture, $"/proc/{before}")));
        Assert.Equal("42", await folder.AskUntilAnsweredAsync("SELECT answer FROM kept"));
    }

    [Fact]
    public async Task Its_owner_killed_it_ends_by_itself_and_keeps_its_data()
    {
        using var owner = await StartUnderAnotherProcessAsync();
        await folder.AskUntilAnsweredAsync("CREATE TABLE kept AS SELECT 42 AS answer");

        EmbeddedServerFolder.Kill(owner.HolderOfThePipe);

        await EmbeddedServerFolder.UntilAsync("nothing of the server lives", () => folder.NothingLives);
        await folder.StartHostAsync();
        Assert.Equal("42", await folder.AskAsync("SELECT answer FROM kept"));
    }

    [Fact]
    public async Task An_orphan_whose_guard_was_killed_with_its_owner_is_ended_not_fought()
    {
        using var owner = await StartUnderAnotherProcessAsync();
        await folder.AskUntilAnsweredAsync("CREATE TABLE kept AS SELECT 42 AS answer");
        var orphan = folder.ServerProcess;
        foreach (var guard in EmbeddedServerFolder.ProcessesWith("coordinator-postgres").Intersect(EmbeddedServerFolder.ProcessesWith(folder.Layout.Cluster)).ToList()) EmbeddedServerFolder.Kill(guard);
        EmbeddedServerFolder.Kill(owner.HolderOfThePipe);
        Assert.Equal("1", await folder.AskAsync("SELECT 1"));

        await folder.StartHostAsync();

        Assert.NotEqual(orphan, folder.ServerProcess);
        Assert.Equal("42", await folder.AskAsync("SELECT answer FROM kept"));
    }

    [Fact]
    public async Task Everything_killed_at_once_the_stale_pid_file_is_no_obstacle()
    {
        using var owner = await StartUnderAnotherProcessAsync();
        await folder.AskUntilAnsweredAsync("CREATE TABLE kept AS SELECT 42 AS answer");
        foreach (var process in EmbeddedServerFolder.ProcessesWith(folder.Layout.Cluster).Append(owner.HolderOfThePipe).ToList()) EmbeddedServerFolder.Kill(process);

        await folder.StartHostAsync();

        Assert.Equal("42", await folder.AskAsync("SELECT answer FROM kept"));
    }

    [Fact]
    public async Task A_second_host_on_the_folder_is_told_that_it_is_taken_and_waits_for_it()
    {
        await folder.StartHostAsync();
        var before = folder.ServerProcess;

        var failure = await Assert.ThrowsAsync<DatabaseStartException>(() => folder.NewHost(ownerPatience: TimeSpan.Zero).StartAsync(default));

        Assert.Contains("Another host", failure.Message, StringComparison.Ordinal);
        Assert.True(failure.MayPass);
        Assert.Equal(before, folder.ServerProcess);
        Assert.Equal("1", await folder.AskAsync("SELECT 1"));
    }

    [Fact]
    public async Task An_operator_beside_a_host_on_the_folder_is_told_to_stop_that_one_and_not_to_use_another_folder()
    {
        await folder.StartHostAsync();
        await using var services = new ServiceCollection()
            .AddLogging()
            .AddPostgres(new ConfigurationBuilder().AddInMemoryCollection([new("Database:Embedded:DataDirectory", folder.Root)]).Build())
            .BuildServiceProvider();

        var refused = await Assert.ThrowsAsync<PortException>(() => services.GetRequiredService<DatabaseBackup>().SayRestoredAsync(default));

        Assert.StartsWith($"Another host is using the database in {folder.Root}. Stop", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("DataDirectory", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Data_of_another_major_version_is_refused_by_both_versions_names()
    {
        Directory.CreateDirectory(Path.Combine(folder.Root, "cluster"));
        await File.WriteAllTextAsync(Path.Combine(folder.Root, "cluster", "PG_VERSION"), "99\n");

        var failure = await Assert.ThrowsAsync<DatabaseStartException>(() => folder.NewHost().StartAsync(default));

        Assert.Contains("made by PostgreSQL 99", failure.Message, StringComparison.Ordinal);
        Assert.Contains("found: ", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Someone_elses_folder_is_refused_and_left_as_it_is()
    {
        Directory.CreateDirectory(folder.Root);
        await File.WriteAllTextAsync(Path.Combine(folder.Root, "letter.txt"), "mine");

        var failure = await Assert.ThrowsAsync<DatabaseStartException>(() => folder.NewHost().StartAsync(default));

        Assert.Contains("letter.txt", failure.Message, StringComparison.Ordinal);
        Assert.Equal("letter.txt", Path.GetFileName(Assert.Single(Directory.GetFileSystemEntries(folder.Root))));
    }

    [Fact]
    public void A_socket_path_that_is_too_long_is_refused_with_the_setting_to_change()
    {
        folder.Options.Embedded.RuntimeDirectory = "/tmp/" + new string('x', 100);

        var failure = Assert.Throws<DatabaseStartException>(() => folder.Layout);

        Assert.Contains("Database:Embedded:RuntimeDirectory", failure.Message, StringComparison.Ordinal);
        folder.Options.Embedded.RuntimeDirectory = null;
    }

    [Fact]
    public async Task Interrupted_while_it_was_made_the_folder_is_made_anew()
    {
        var cluster = new EmbeddedCluster(folder.Options.Embedded, TimeProvider.System, NullLogger.Instance);
        var (layout, _) = await cluster.PrepareFolderAsync(default);
        Directory.CreateDirectory(layout.UnfinishedCluster);
        await File.WriteAllTextAsync(Path.Combine(layout.UnfinishedCluster, "half"), "done");

        await folder.StartHostAsync();

        Assert.Equal("1", await folder.AskAsync("SELECT 1"));
    }

    /// <summary>The guard and its server as a host would start them, with the pipe held by a process that can be killed.</summary>
    private async Task<PipeOwner> StartUnderAnotherProcessAsync()
    {
        var cluster = new EmbeddedCluster(folder.Options.Embedded, TimeProvider.System, NullLogger.Instance);
        var (layout, user) = await cluster.PrepareFolderAsync(default);
        var binaries = await cluster.PrepareDataAsync(layout, user, default);
        var pidFile = Path.Combine(Path.GetTempPath(), $"{Path.GetFileName(folder.Root)}.pid");
        const string Script = """pid=$1; shift; sh -c 'echo $$ >"$1.new"; mv "$1.new" "$1"; exec sleep 3600' sh "$pid" | "$@" """;
        string[] guard = [.. user?.Prefix ?? [], .. GuardedServer.Command(layout, binaries)];
        var start = ShortCommand.Describe(null, ["sh", "-c", Script, "sh", pidFile, .. guard]);
        var process = Process.Start(start) ?? throw new InvalidOperationException("sh did not start.");
        await EmbeddedServerFolder.UntilAsync("the pipe's owner runs", () => File.Exists(pidFile));
        var holder = int.Parse(await File.ReadAllTextAsync(pidFile), CultureInfo.InvariantCulture);
        File.Delete(pidFile);

        var administrator = layout.Connection(EmbeddedLayout.Administrator, "postgres");
        administrator.Pooling = false;
        await EmbeddedServerFolder.UntilAsync("the server answers", () => AnswersAsync(administrator.ConnectionString));
        await EmbeddedDatabase.EnsureAsync(layout, default);
        return new(process, holder);
    }

    private static async Task<bool> AnswersAsync(string connectionString)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        try
        {
            await connection.OpenAsync();
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    private static string Status(int process, string field) => File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/status"))
        .First(line => line.StartsWith($"{field}:", StringComparison.Ordinal)).Split('\t')[1];

    private sealed class PipeOwner(Process shell, int holderOfThePipe) : IDisposable
    {
        public int HolderOfThePipe { get; } = holderOfThePipe;

        public void Dispose()
        {
            EmbeddedServerFolder.Kill(HolderOfThePipe);
            shell.Dispose();
        }
    }
}
