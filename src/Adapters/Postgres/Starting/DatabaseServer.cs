using Coordinator.Adapters.Postgres.Embedded;
using Npgsql;

namespace Coordinator.Adapters.Postgres;

/// <summary>Which database the host uses: the embedded server (<see cref="Embedded"/>), or the one of the connection string.</summary>
internal sealed class DatabaseServer(DatabaseOptions options, EmbeddedPostgres? embedded) : IAsyncDisposable, IDisposable
{
    public EmbeddedPostgres? Embedded { get; } = embedded;

    /// <summary>The server's host name, or the socket's folder.</summary>
    public string Host => Connection().Host ?? "";

    /// <summary>The shared pool: sees no tenant's rows until a transaction names an organization.</summary>
    public NpgsqlDataSource CreateShared()
    {
        var connection = Connection();
        if (!connection.ContainsKey("Maximum Pool Size")) connection.MaxPoolSize = options.MaxPoolSize;
        return ClearedWithItsServer(NpgsqlDataSource.Create(connection));
    }

    /// <summary>The journal's and the sweeps' own: acts for the host, over all organizations.</summary>
    public SystemDataSource CreateSystem()
    {
        var connection = Connection();
        connection.MaxPoolSize = options.Journal.Writers + Math.Max(2, options.MaxPoolSize / 2);
        connection.Options = $"{connection.Options} {SystemOptions}".TrimStart();
        return new(ClearedWithItsServer(NpgsqlDataSource.Create(connection)));
    }

    /// <summary>Shuts the embedded server down and waits for it.</summary>
    public ValueTask DisposeAsync() => Embedded?.DisposeAsync() ?? ValueTask.CompletedTask;

    /// <summary>Has the embedded server shut down, without waiting for it.</summary>
    public void Dispose() => Embedded?.Dispose();

    /// <summary>
    /// The scope that row-level security knows, and a plan that a fresh table's missing statistics cannot spoil: rows
    /// are always looked up by their key.
    /// </summary>
    private const string SystemOptions = "-c coordinator.scope=system -c plan_cache_mode=force_generic_plan -c enable_hashjoin=off -c enable_mergejoin=off -c enable_seqscan=off";

    private NpgsqlDataSource ClearedWithItsServer(NpgsqlDataSource source)
    {
        if (Embedded is { } server) server.Died += source.Clear;
        return source;
    }

    private NpgsqlConnectionStringBuilder Connection()
    {
        var connection = new NpgsqlConnectionStringBuilder(Embedded?.ConnectionString ?? options.ConnectionString);
        if (!connection.ContainsKey("Application Name")) connection.ApplicationName = "coordinator";
        if (!connection.ContainsKey("Max Auto Prepare")) connection.MaxAutoPrepare = 50;
        if (!connection.ContainsKey("Connection Idle Lifetime")) connection.ConnectionIdleLifetime = 60; // a server process is memory
        return connection;
    }
}
