using System.Globalization;
using Coordinator.Adapters.Postgres;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace Coordinator.Tests.Conformance.Postgres;

/// <summary>The whole adapter as a host has it, on an embedded server that is killed under it.</summary>
public sealed class KilledDatabaseTests : IAsyncLifetime
{
    private readonly EmbeddedServerFolder folder = new();
    private ServiceProvider? services;

    private ServiceProvider Services => services!;

    private ISessionJournal Journal => Services.GetRequiredService<ISessionJournal>();

    private IHostDependency Database => Services.GetRequiredService<IHostDependency>();

    public Task InitializeAsync()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(
            [new("Database:Embedded:DataDirectory", folder.Root), new("Database:Journal:OutagePatience", "00:00:30")]).Build();
        services = new ServiceCollection().AddLogging().AddPostgres(configuration).AddPostgresTenantDirectory().BuildServiceProvider(validateScopes: true);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await Services.DisposeAsync();
        await folder.DisposeAsync();
    }

    [Fact]
    public async Task A_host_brings_its_database_up_migrated_and_takes_it_down()
    {
        Assert.Equal("The database is still starting.", await Database.CheckAsync(default));

        await Database.StartAsync(default);

        await Services.GetRequiredService<IDatabaseStarter>().WhenReadyAsync(default);
        Assert.Null(await Database.CheckAsync(default));
        Assert.StartsWith("embedded PostgreSQL ", Database.Description, StringComparison.Ordinal);
        Assert.Equal(Migration.Embedded().Count.ToString(CultureInfo.InvariantCulture), await folder.AskAsync("SELECT count(*) FROM schema_migration"));
        await Services.DisposeAsync();
        Assert.Empty(EmbeddedServerFolder.ProcessesWith(folder.Layout.Cluster));
        await EmbeddedServerFolder.UntilAsync("nothing of the server lives", () => folder.NothingLives);
    }

    [Fact]
    public async Task A_request_that_is_claimed_gives_the_server_nothing_to_warn_of_in_a_log_that_grows_while_it_runs()
    {
        await Database.StartAsync(default);
        var directory = Services.GetRequiredService<ITenantDirectory>();
        var owner = await directory.EnsureOwnerAsync(default);

        var claim = await directory.ClaimRequestAsync(owner.Organization, "sessions", "key", new byte[32], DateTimeOffset.UnixEpoch, TimeSpan.FromMinutes(1), default);
        Assert.True(await directory.HoldRequestAsync(owner.Organization, "sessions", "key", Assert.IsType<RequestClaim.Mine>(claim).Id, TimeSpan.FromMinutes(1), default));
        await Services.DisposeAsync(); // what the server said is in its log once it has ended

        Assert.DoesNotContain("WARNING", await File.ReadAllTextAsync(folder.Layout.Log), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Killed_under_load_it_loses_nothing_it_acknowledged_and_no_append_notices()
    {
        await Database.StartAsync(default);
        var leases = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => CreateAsync()));
        const int Appends = 60;
        var halfway = new TaskCompletionSource();

        var writing = Task.WhenAll(leases.Select(lease => WriteAsync(lease, Appends, halfway)));
        await await Task.WhenAny(halfway.Task, writing); // writing that fails before says so
        EmbeddedServerFolder.Kill(folder.ServerProcess);
        await writing;

        foreach (var lease in leases) Assert.Equal(Appends, (await Journal.FindHeadAsync(lease.Key, default))!.Version);
        Assert.Null(await Database.CheckAsync(default));
    }

    [Fact]
    public async Task Pooled_connections_of_before_the_kill_are_not_handed_out_after_it()
    {
        await Database.StartAsync(default);
        var shared = Services.GetRequiredService<NpgsqlDataSource>();
        var open = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => shared.OpenConnectionAsync().AsTask()));
        foreach (var connection in open) await connection.DisposeAsync();

        EmbeddedServerFolder.Kill(folder.ServerProcess);
        await folder.AskUntilAnsweredAsync("SELECT 1");
        await EmbeddedServerFolder.UntilAsync("the database is said to be well", async () => await Database.CheckAsync(default) is null);

        for (var i = 0; i < 5; i++)
        {
            await using var command = shared.CreateCommand("SELECT 1");
            await command.ExecuteScalarAsync();
        }
    }

    private async Task WriteAsync(JournalLease lease, int appends, TaskCompletionSource halfway)
    {
        for (var version = 0; version < appends; version++)
        {
            Assert.True(await Journal.AppendAsync(lease, new(version, new byte[200], 1, DateTimeOffset.UnixEpoch, null, null), default));
            if (version == appends / 2) halfway.TrySetResult();
        }
    }

    private async Task<JournalLease> CreateAsync()
    {
        var key = new SessionKey(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));
        return (await Journal.OpenAsync(key, HostId.New(TimeProvider.System), create: true, default))!;
    }
}
