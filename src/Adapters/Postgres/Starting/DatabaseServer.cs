using System.Globalization;
using System.Security.Cryptography;
using Coordinator.Adapters.Postgres.Embedded;
using Npgsql;

namespace Coordinator.Adapters.Postgres;

/// <summary>Which database the host uses: the embedded server (<see cref="Embedded"/>), or the one of the connection string.</summary>
internal sealed class DatabaseServer(DatabaseOptions options, EmbeddedPostgres? embedded) : IAsyncDisposable, IDisposable
{
    public EmbeddedPostgres? Embedded { get; } = embedded;

    /// <summary>The server's host name, or the socket's folder.</summary>
    public string Host => Connection().Host ?? "";

    /// <summary>The roles that hosts of this database work under.</summary>
    public DatabaseRoles Roles => DatabaseRoles.Of(Database);

    /// <summary>The database as the connection string has it.</summary>
    public string Database => Connection() is var connection && connection.Database is { Length: > 0 } named ? named : connection.Username ?? "";

    /// <summary>The shared pool, under the tenants' role: sees no tenant's rows until a transaction names an organization.</summary>
    public NpgsqlDataSource CreateShared()
    {
        var connection = Connection();
        if (!IsSaid(connection, "Maximum Pool Size")) connection.MaxPoolSize = options.MaxPoolSize;
        // Whatever is set over it is set for one transaction, and ends with that: to have the server take back nothing costs as much as a small read. Who listens
        // for the feed does so over one connection until the host ends.
        if (!IsSaid(connection, "No Reset On Close")) connection.NoResetOnClose = true;
        AddOptions(connection, $"{Roles.OptionsFor(Roles.Tenants)} {Uncompiled} {NothingLeftOpen}");
        if (IsFar(connection)) AddOptions(connection, KeepAlives);
        return ClearedWithItsServer(NpgsqlDataSource.Create(connection));
    }

    /// <summary>The journal's, the sweeps' and the host registry's own: under the host's role, over all organizations.</summary>
    public SystemDataSource CreateSystem(TimeProvider time)
    {
        var connection = Connection();
        connection.MaxPoolSize = options.Journal.Writers + HeldRows + HeldHeads.AtOnce + HostLock + Openings + Math.Max(2, options.MaxPoolSize / 2);
        connection.ApplicationName = NameOfProcess(connection.ApplicationName!);
        AddOptions(connection, $"{Roles.OptionsFor(Roles.Host)} {KeyedPlans} {NothingLeftOpen}");
        if (IsFar(connection)) AddOptions(connection, KeepAlives);
        return new(ClearedWithItsServer(NpgsqlDataSource.Create(connection)), connection.ApplicationName, new(options.Journal.RowPatience, options.Journal.StatementTimeout, time), new(time));
    }

    /// <summary>As the login itself, which owns the schema: for the steps of a start, and nothing that is done for anybody.</summary>
    public NpgsqlDataSource CreateOwner()
    {
        var connection = Connection();
        connection.Pooling = false;
        AddOptions(connection, OwnerOptions);
        return NpgsqlDataSource.Create(connection);
    }

    /// <summary>
    /// For what an operator does with all of a database, the host's own or another of the server's: as the login, however long it takes, of which it may
    /// wait <paramref name="lockPatience"/> for what somebody else holds.
    /// </summary>
    public NpgsqlDataSource CreateMaintenance(string? database = null, TimeSpan? lockPatience = null)
    {
        var connection = Connection();
        if (database is not null) connection.Database = database;
        connection.ApplicationName = "coordinator maintenance";
        connection.Pooling = false;
        connection.CommandTimeout = 0;
        AddOptions(connection, $"{OwnerOptions} {KeyedPlans}");
        if (lockPatience is { } patience) AddOptions(connection, string.Create(CultureInfo.InvariantCulture, $"-c lock_timeout={patience.TotalMilliseconds:0}ms"));
        return NpgsqlDataSource.Create(connection);
    }

    /// <summary>The form of <see cref="NameOfProcess"/>, for the server to look for.</summary>
    public const string NameOfHosts = " [0-9a-f]{20}$";

    /// <summary>A name that no other process has, within the 63 bytes that the server keeps of one.</summary>
    private static string NameOfProcess(string name) => $"{(name.Length > LongestName ? name[..LongestName] : name)} {Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(10))}";

    /// <summary>Shuts the embedded server down and waits for it.</summary>
    public ValueTask DisposeAsync() => Embedded?.DisposeAsync() ?? ValueTask.CompletedTask;

    /// <summary>Has the embedded server shut down, without waiting for it.</summary>
    public void Dispose() => Embedded?.Dispose();

    /// <summary>The scope by which row-level security knows the schema's owner, whom it binds as well.</summary>
    private const string OwnerOptions = "-c coordinator.scope=system";

    /// <summary>A plan that a fresh table's missing statistics cannot spoil: rows are always looked up by their key.</summary>
    private const string KeyedPlans = $"-c plan_cache_mode=force_generic_plan -c enable_hashjoin=off -c enable_mergejoin=off -c enable_seqscan=off {Uncompiled}";

    /// <summary>
    /// A server by default compiles what it takes for costly, for half a second and more, each time anew; and a scan that is off and the only way there is
    /// counts as costlier than anything. Nothing here is long enough to be worth it.
    /// </summary>
    private const string Uncompiled = "-c jit=off";

    /// <summary>
    /// So that the server too finds within a minute that a host is cut off: of an append whose end never came it would hold the rows of a whole group,
    /// and the lock of a host that is gone, for as long as its system takes, which is two hours by default.
    /// </summary>
    private const string KeepAlives = "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3";

    /// <summary>
    /// Nobody takes over what a host was about for a tenant, or with a session that sleeps, such as archiving it: when it froze in the middle, what it
    /// had locked would stay so until it thaws.
    /// </summary>
    private const string NothingLeftOpen = "-c idle_in_transaction_session_timeout=60s";

    /// <summary>The connection that appends wait on for rows that somebody holds, while there are any.</summary>
    private const int HeldRows = 1;

    /// <summary>The connection that a registered host keeps for its lock.</summary>
    private const int HostLock = 1;

    /// <summary>The connection that listens for sessions that are opened elsewhere.</summary>
    private const int Openings = 1;

    private const int LongestName = 40;

    /// <summary>
    /// How long the driver believes what it last knew of each of several servers. By its own measure of 10 s a standby that has long
    /// taken over is still passed by, and callers are told of an outage that is over.
    /// </summary>
    private const int RecheckSeconds = 1;

    /// <summary>How long a connection may be silent before the system asks whether its other end is there, and how often it asks then.</summary>
    private const int KeepAliveSeconds = 10;

    private NpgsqlDataSource ClearedWithItsServer(NpgsqlDataSource source)
    {
        if (Embedded is { } server) server.Died += source.Clear;
        return source;
    }

    private static void AddOptions(NpgsqlConnectionStringBuilder connection, string words) => connection.Options = $"{connection.Options} {words}".TrimStart();

    private NpgsqlConnectionStringBuilder Connection()
    {
        var connection = new NpgsqlConnectionStringBuilder(Embedded?.ConnectionString ?? options.ConnectionString);
        if (!IsSaid(connection, "Application Name")) connection.ApplicationName = "coordinator";
        if (!IsSaid(connection, "Max Auto Prepare")) connection.MaxAutoPrepare = 50;
        if (!IsSaid(connection, "Connection Idle Lifetime")) connection.ConnectionIdleLifetime = 60; // a server process is memory
        if (!IsSaid(connection, "Host Recheck Seconds")) connection.HostRecheckSeconds = RecheckSeconds;
        if (IsFar(connection)) KeepAlive(connection);
        return connection;
    }

    private static bool IsFar(NpgsqlConnectionStringBuilder connection) => connection.Host?.StartsWith('/') is false;

    /// <summary>Who only listens would wait for ever on a connection of which the other end went without a word.</summary>
    private static void KeepAlive(NpgsqlConnectionStringBuilder connection)
    {
        if (!IsSaid(connection, "TCP Keepalive")) connection.TcpKeepAlive = true;
        if (!IsSaid(connection, "TCP Keepalive Time")) connection.TcpKeepAliveTime = KeepAliveSeconds;
        if (!IsSaid(connection, "TCP Keepalive Interval")) connection.TcpKeepAliveInterval = KeepAliveSeconds;
    }

    /// <summary>True when the connection string says it itself; <c>ContainsKey</c> is true of everything that could be said.</summary>
    private static bool IsSaid(NpgsqlConnectionStringBuilder connection, string key) => connection.Keys.Contains(key, StringComparer.OrdinalIgnoreCase);
}
