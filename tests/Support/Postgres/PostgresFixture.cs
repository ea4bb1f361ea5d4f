using Coordinator.Adapters.Postgres;
using Coordinator.Ports;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;

namespace Coordinator.Tests.Support;

/// <summary>A fresh database with the newest schema, for one test class (<c>IClassFixture&lt;PostgresFixture&gt;</c>); dropped after it.</summary>
public sealed class PostgresFixture : IAsyncLifetime
{
    private readonly string name = $"test_{PrefixedId.NewValue(TimeProvider.System):n}";
    private NpgsqlDataSource? dataSource;

    /// <summary>What a host would be configured with.</summary>
    public string ConnectionString { get; private set; } = "";

    /// <summary>The host's shared pool: bound by row-level security.</summary>
    public NpgsqlDataSource DataSource => dataSource ?? throw new InvalidOperationException("The fixture is not initialized.");

    public async Task InitializeAsync()
    {
        ConnectionString = await CreateDatabaseAsync(name);
        await MigrateAsync(ConnectionString);
        dataSource = NpgsqlDataSource.Create(ConnectionString);
    }

    public async Task DisposeAsync()
    {
        if (dataSource is not null) await dataSource.DisposeAsync();
        await DropDatabaseAsync(name);
    }

    /// <summary>Brings a database to the newest schema; no connection to it is left open.</summary>
    public static async Task MigrateAsync(string connectionString)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await new MigrationRunner(source, Migration.Embedded(), TimeProvider.System, NullLogger<MigrationRunner>.Instance).RunAsync(CancellationToken.None);
    }

    /// <summary>Makes a database, empty or the copy of one that nobody is connected to, and returns how the host connects to it.</summary>
    public static async Task<string> CreateDatabaseAsync(string name, string? template = null)
    {
        var server = await PostgresTestServer.GetAsync();
        var host = new NpgsqlConnectionStringBuilder(server.Host) { Database = name, ApplicationName = name };
        await ExecuteAsAdministratorAsync($"CREATE DATABASE {name} OWNER {host.Username} TEMPLATE {template ?? "template1"}");
        return host.ConnectionString;
    }

    /// <summary>Drops it, whoever is connected.</summary>
    public static Task DropDatabaseAsync(string name) => ExecuteAsAdministratorAsync($"DROP DATABASE IF EXISTS {name} WITH (FORCE)");

    private static async Task ExecuteAsAdministratorAsync(string sql)
    {
        var server = await PostgresTestServer.GetAsync();
        var administrator = new NpgsqlConnectionStringBuilder(server.Administrator) { Pooling = false };
        await using var connection = new NpgsqlConnection(administrator.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
