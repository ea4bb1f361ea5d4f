using Coordinator.Adapters.Postgres;
using Coordinator.Adapters.Postgres.Backup;
using Coordinator.Ports;
using Coordinator.Tests.Support;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace Coordinator.Tests.Conformance.Postgres;

/// <summary>What an operator does with a database that is not there says so, and makes none.</summary>
public sealed class NoDatabaseTests : IAsyncLifetime
{
    private readonly string name = $"none_{PrefixedId.NewValue(TimeProvider.System):n}";
    private readonly string folder = Path.Combine(Path.GetTempPath(), $"coordinator-none-{PrefixedId.NewValue(TimeProvider.System):n}");
    private string empty = "";

    public async Task InitializeAsync() => empty = await PostgresFixture.CreateDatabaseAsync(name);

    public Task DisposeAsync() => PostgresFixture.DropDatabaseAsync(name);

    [Fact]
    public async Task An_empty_database_is_not_copied_and_not_said_to_have_gone_back()
    {
        await using var services = Services("Database:ConnectionString", empty);
        var backup = services.GetRequiredService<DatabaseBackup>();

        Assert.All([await RefusalAsync(backup.DemandOneAsync(default)), await RefusalAsync(backup.WriteAsync(folder, default)), await RefusalAsync(backup.SayRestoredAsync(default))],
            said => Assert.StartsWith($"The database {name} is none of a host's", said, StringComparison.Ordinal));
        await using var source = NpgsqlDataSource.Create(empty);
        await using var tables = source.CreateCommand("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'");
        Assert.Equal(0L, await tables.ExecuteScalarAsync());
    }

    [Fact]
    public async Task A_folder_without_a_database_is_left_without_one()
    {
        await using var services = Services("Database:Embedded:DataDirectory", Path.Combine(folder, "postgres"));
        var backup = services.GetRequiredService<DatabaseBackup>();

        Assert.All([await RefusalAsync(backup.DemandOneAsync(default)), await RefusalAsync(backup.SayRestoredAsync(default))],
            said => Assert.StartsWith($"There is no database in {folder}/postgres", said, StringComparison.Ordinal));
        Assert.False(Directory.Exists(folder));
    }

    private static async Task<string> RefusalAsync(Task work)
    {
        var refused = await Assert.ThrowsAsync<PortException>(() => work);
        Assert.Equal(PortFailureKind.Rejected, refused.Kind);
        return refused.Message;
    }

    private static ServiceProvider Services(string key, string value) => new ServiceCollection()
        .AddLogging()
        .AddPostgres(new ConfigurationBuilder().AddInMemoryCollection([new(key, value)]).Build())
        .BuildServiceProvider();
}
