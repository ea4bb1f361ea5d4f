using System.Globalization;
using Npgsql;

namespace Coordinator.Tests.Faults.Real;

/// <summary>What is done to the database itself, past all proxies.</summary>
public sealed partial class RealOutside
{
    private readonly List<NpgsqlConnection> taken = [];
    private string? full;
    private int refusedBefore;
    private bool isRefusing;

    private string Database => new NpgsqlConnectionStringBuilder(ConnectionString).Database!;

    private string IsOurs => $"datname = '{Database}' AND pid <> pg_backend_pid()";

    private void EndConnections() => Ask($"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {IsOurs}");

    /// <summary>Asks the server past all proxies, and past the database where it has its limits.</summary>
    private object? Ask(string sql, string? to = null)
    {
        using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(to ?? looking) { Pooling = false }.ConnectionString);
        connection.Open();
        using var command = new NpgsqlCommand(sql, connection);
        return command.ExecuteScalar();
    }

    /// <summary>The database refuses writes of every connection that is made from now on, and ends those there are.</summary>
    public void ReadOnly(bool isReadOnly)
    {
        Ask($"ALTER DATABASE {Database} SET default_transaction_read_only = {(isReadOnly ? "on" : "off")}");
        if (isReadOnly) EndConnections();
    }

    /// <summary>The database takes no further connection, and ends those there are.</summary>
    public void LimitConnections(bool isLimited)
    {
        Ask($"ALTER DATABASE {Database} CONNECTION LIMIT {(isLimited ? 0 : -1)}");
        if (isLimited) EndConnections();
    }

    /// <summary>The host may connect to the database no more, and whoever is connected is sent away.</summary>
    public void RefuseHost()
    {
        Ask($"REVOKE CONNECT ON DATABASE {Database} FROM PUBLIC, {Role}");
        isRefusing = true;
        World.Port<NpgsqlDataSource>().Clear();
        EndConnections();
    }

    /// <summary>Every connection there is ends; new ones can be made.</summary>
    public void CutConnections() => EndConnections();

    /// <summary>Whoever writes to a table is told by the database that its disk is full. A sequence counts what a transaction that is rolled back would forget.</summary>
    public void FillDisk(string table)
    {
        Inside($"""
            CREATE SEQUENCE disrupted;
            CREATE FUNCTION disruption() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
                BEGIN PERFORM nextval('disrupted'); RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
            CREATE TRIGGER disruption BEFORE INSERT OR UPDATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION disruption()
            """);
        full = table;
    }

    /// <summary>Does something to the play's data behind its back.</summary>
    public void Tamper(string sql) => Inside(sql);

    /// <summary>Takes every connection of the pool that calls in an organization's name share.</summary>
    public async ValueTask TakeConnectionsAsync()
    {
        for (var number = 0; number < PoolSize; number++) taken.Add(await World.Port<NpgsqlDataSource>().OpenConnectionAsync());
    }

    public void GiveConnectionsBack()
    {
        foreach (var connection in taken) connection.Dispose();
        taken.Clear();
    }

    private string Role => $"\"{new NpgsqlConnectionStringBuilder(ConnectionString).Username}\"";

    private void HealDatabase()
    {
        if (isRefusing) Ask($"GRANT CONNECT ON DATABASE {Database} TO PUBLIC, {Role}");
        isRefusing = false;
        if (full is not { } table) return;
        refusedBefore = CountRefused();
        full = null;
        Inside($"DROP TRIGGER disruption ON {table}; DROP FUNCTION disruption(); DROP SEQUENCE disrupted");
    }

    private int CountRefused() => full is null ? refusedBefore : refusedBefore + Convert.ToInt32(Inside("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM disrupted"), CultureInfo.InvariantCulture);

    private object? Inside(string sql) => Ask(sql, new NpgsqlConnectionStringBuilder(looking) { Database = Database }.ConnectionString);
}
