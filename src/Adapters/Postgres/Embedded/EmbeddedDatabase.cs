using Npgsql;

namespace Coordinator.Adapters.Postgres.Embedded;

/// <summary>The host's login and database in a server, and the roles that it works under. The login is no superuser: row-level security binds it too.</summary>
internal static class EmbeddedDatabase
{
    public static async Task EnsureAsync(EmbeddedLayout layout, CancellationToken cancellationToken)
    {
        var administrator = layout.Connection(EmbeddedLayout.Administrator, "postgres");
        administrator.Pooling = false;
        await using var connection = new NpgsqlConnection(administrator.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        await EnsureAsync(connection, "SELECT 1 FROM pg_roles WHERE rolname = $1", EmbeddedLayout.Role, $"CREATE ROLE {EmbeddedLayout.Role} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE", cancellationToken);
        await EnsureAsync(connection, "SELECT 1 FROM pg_database WHERE datname = $1", EmbeddedLayout.Database, $"CREATE DATABASE {EmbeddedLayout.Database} OWNER {EmbeddedLayout.Role}", cancellationToken);
        await DatabaseRoles.Of(EmbeddedLayout.Database).MakeAsync(connection, EmbeddedLayout.Role, cancellationToken);
    }

    private static async Task EnsureAsync(NpgsqlConnection connection, string look, string name, string make, CancellationToken cancellationToken)
    {
        await using var looking = new NpgsqlCommand(look, connection) { Parameters = { new() { Value = name } } };
        if (await looking.ExecuteScalarAsync(cancellationToken) is not null) return;
        await using var making = new NpgsqlCommand(make, connection);
        await making.ExecuteNonQueryAsync(cancellationToken);
    }
}
