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
    private NpgsqlDataSource? owner;

    /// <summary>What a host would be configured with.</summary>
    public string ConnectionString { get; private set; } = "";

    /// <summary>The host's shared pool: under the tenants' role, bound by row-level security.</summary>
    public NpgsqlDataSource DataSource => dataSource ?? throw new InvalidOperationException("The fixture is not initialized.");

    /// <summary>For what a test does behind the host's back: as the schema's owner, over all organizations.</summary>
    public NpgsqlDataSource Owner => owner ?? throw new InvalidOperationException("The fixture is not initialized.");

    public async Task InitializeAsync()
    {
        ConnectionString = await CreateDatabaseAsync(name);
        await MigrateAsync(ConnectionString);
        (dataSource, owner) = (SharedPool(ConnectionString), ServerOf(ConnectionString).CreateOwner());
    }

    public async Task DisposeAsync()
    {
        if (dataSource is not null) await dataSource.DisposeAsync();
        if (owner is not null) await owner.DisposeAsync();
        await DropDatabaseAsync(name);
    }

    /// <summary>Has the database take writes, or none. Every connection to it notices in its next statement: those that there are are ended, as by a server that changes.</summary>
    public async Task TakeWritesAsync(bool writable)
    {
        await ExecuteAsAdministratorAsync($"ALTER DATABASE {name} SET default_transaction_read_only = {(writable ? "off" : "on")}", "postgres");
        await ExecuteAsAdministratorAsync($"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'", "postgres");
    }

    /// <summary>A host's shared pool over the database of a connection string.</summary>
    public static NpgsqlDataSource SharedPool(string connectionString) => ServerOf(connectionString).CreateShared();

    /// <summary>Does to a database what a host that starts does: the newest schema, and the roles it works under. No connection to it is left open.</summary>
    public static Task MigrateAsync(string connectionString) =>
        new DatabasePreparation(ServerOf(connectionString), TimeProvider.System, NullLogger<MigrationRunner>.Instance).RunAsync(CancellationToken.None);

    /// <summary>Makes a database, empty or the copy of one that nobody is connected to, with the roles of hosts, and returns how the host connects to it.</summary>
    public static async Task<string> CreateDatabaseAsync(string name, string? template = null)
    {
        var host = new NpgsqlConnectionStringBuilder((await PostgresTestServer.GetAsync()).Host) { Database = name, ApplicationName = name };
        await ExecuteAsAdministratorAsync($"CREATE DATABASE {name} OWNER {host.Username} TEMPLATE {template ?? "template1"}");
        await ExecuteAsAdministratorAsync(DatabaseRoles.Of(name).Script(host.Username!));
        if (template is null) return host.ConnectionString;

        var server = ServerOf(host.ConnectionString); // a copy has what its original gives to roles of its own
        await using var owner = server.CreateOwner();
        await using var connection = await owner.OpenConnectionAsync();
        await server.Roles.GrantAsync(connection, CancellationToken.None);
        return host.ConnectionString;
    }

    /// <summary>Drops it, whoever is connected, and its roles.</summary>
    public static async Task DropDatabaseAsync(string name)
    {
        var roles = DatabaseRoles.Of(name);
        await ExecuteAsAdministratorAsync($"DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        await ExecuteAsAdministratorAsync($"DROP ROLE IF EXISTS {roles.Door}, {roles.Tenants}, {roles.Host}");
    }

    private static DatabaseServer ServerOf(string connectionString) => new(new DatabaseOptions { ConnectionString = connectionString }, embedded: null);

    /// <summary>Does something as one who may make and drop databases and roles.</summary>
    public static async Task ExecuteAsAdministratorAsync(string sql, string? database = null)
    {
        var server = await PostgresTestServer.GetAsync();
        var administrator = new NpgsqlConnectionStringBuilder(server.Administrator) { Pooling = false };
        if (database is not null) administrator.Database = database;
        await using var connection = new NpgsqlConnection(administrator.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
