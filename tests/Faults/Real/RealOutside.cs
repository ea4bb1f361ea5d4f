using System.Globalization;
using Coordinator.Adapters.DirectModels;
using Coordinator.Adapters.FileSystem;
using Coordinator.Adapters.Git;
using Coordinator.Adapters.HttpNotifier;
using Coordinator.Adapters.InProcess;
using Coordinator.Adapters.LocalIdentity;
using Coordinator.Adapters.Modal;
using Coordinator.Adapters.Postgres;
using Coordinator.Modules.Sessions;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Http;
using Coordinator.Tests.Support.Network;
using Coordinator.Tests.WalkingSkeleton.World;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Xunit.Abstractions;

namespace Coordinator.Tests.Faults.Real;

/// <summary>
/// The real adapters of every port that is reached over a network, each behind a proxy of its own. Boxes and agents stay
/// those of the skeleton; every adapter is as impatient as its options allow, but for a server of its own, which takes
/// its time to come up again.
/// </summary>
public sealed class RealOutside : IOutside
{
    private const int PoolSize = 6;
    private const string MasterKey = "Y2FuYXJ5LW1hc3Rlci1rZXktMDEyMzQ1Njc4OTAxMjM=";

    /// <summary>The key that the plays' organizations pay a model with.</summary>
    public const string ModelKey = "sk-canary-0123456789";

    private readonly List<NpgsqlConnection> taken = [];
    private readonly RealPeers peers;
    private readonly ITestOutputHelper output;
    private readonly bool ownServer;
    private readonly string folder = Directory.CreateTempSubdirectory("disrupt-").FullName;
    private DataPlanePeer plane = null!;
    private Uri planeUrl = null!;
    private string looking = "";

    /// <param name="ownServer">True: the database has a server of its own, which may be killed.</param>
    public RealOutside(RealPeers peers, ITestOutputHelper output, bool ownServer = false) => (this.peers, this.output, this.ownServer) = (peers, output, ownServer);

    public RealPeers Peers => peers;

    public Skeleton World { get; private set; } = null!;

    /// <summary>Everything that was logged.</summary>
    public CapturedLog Log { get; } = new();

    /// <summary>The database for what is written in the host's own name: the journal's appends, leases and alarms.</summary>
    public FaultProxy Writes { get; private set; } = null!;

    /// <summary>The database for what is done in an organization's name: reads, runs, the directory, the feed.</summary>
    public FaultProxy Rows { get; private set; } = null!;

    /// <summary>The data plane that makes boxes.</summary>
    public FaultProxy Boxes { get; private set; } = null!;

    public FaultProxy Models { get; private set; } = null!;

    public FaultProxy Git { get; private set; } = null!;

    public FaultProxy Receiver { get; private set; } = null!;

    public OwnPostgresServer? Server { get; private set; }

    /// <summary>Connects to the play's database past all proxies.</summary>
    public string ConnectionString { get; private set; } = "";

    private IEnumerable<FaultProxy> Proxies => [Writes, Rows, Boxes, Models, Git, Receiver];

    public async Task StartAsync(Skeleton world)
    {
        World = world;
        if (ownServer) Server = await OwnPostgresServer.StartAsync();
        ConnectionString = Server is { } own ? own.ConnectionString : await peers.NewDatabaseAsync();
        looking = Server?.ConnectionString ?? (await PostgresTestServer.GetAsync()).Administrator;
        (Writes, Rows) = (PostgresBehindProxy.Before(ConnectionString), PostgresBehindProxy.Before(ConnectionString));
        plane = await DataPlanePeer.StartAsync(world.Provider);
        planeUrl = plane.Url;
        (Boxes, Models, Git, Receiver) = (new(planeUrl), new(peers.Models.BaseUrl), new(peers.Git.Address), new(peers.Receiver));
    }

    public void AddAdapters(IServiceCollection services)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(Settings()).Build();
        services
            .AddLogging(logging => logging.AddProvider(Log).SetMinimumLevel(LogLevel.Debug).AddFilter("Npgsql", LogLevel.Information).AddFilter("Microsoft", LogLevel.Information))
            .AddPostgres(configuration)
            .AddSingleton(_ => NpgsqlDataSource.Create(Impatient(Rows.Through(ConnectionString))))
            .AddPostgresTenantDirectory()
            .AddPostgresRunHistory()
            .AddPostgresEventFeed()
            .AddLocalIdentity(configuration)
            .AddModalSandbox(configuration)
            .AddGitSourceControl(configuration)
            .AddFileArtifacts(configuration)
            .AddDirectModels(configuration)
            .AddHttpNotifier(configuration)
            .AddSingleton(SessionLimits.Default with { CrashCheck = TimeSpan.FromMilliseconds(500), InspectAfter = TimeSpan.FromMilliseconds(500), TurnCheck = TimeSpan.FromSeconds(2) })
            .Configure<SessionHostOptions>(host =>
            {
                host.AlarmInterval = TimeSpan.FromMilliseconds(100);
                host.AlarmHide = TimeSpan.FromSeconds(1);
                host.JournalPatience = ownServer ? TimeSpan.FromSeconds(20) : TimeSpan.FromSeconds(1);
                host.CallTimeout = ownServer ? TimeSpan.FromSeconds(25) : TimeSpan.FromSeconds(10);
            });
    }

    /// <summary>Every network is well again.</summary>
    public void Heal()
    {
        foreach (var proxy in Proxies) proxy.Heal();
    }

    /// <summary>How often a fault was really done to an adapter.</summary>
    public int Shown => Proxies.Sum(proxy => proxy.Shown);

    /// <summary>How many connections of the adapters' the database has, of those that a condition is true of.</summary>
    public int CountConnections(string condition) => Convert.ToInt32(Ask($"SELECT count(*) FROM pg_stat_activity WHERE {IsOurs} AND {condition}"), CultureInfo.InvariantCulture);

    private string Database => new NpgsqlConnectionStringBuilder(ConnectionString).Database!;

    private string IsOurs => $"datname = '{Database}' AND pid <> pg_backend_pid()";

    private void EndConnections() => Ask($"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {IsOurs}");

    /// <summary>Asks the server past all proxies, and past the database where it has its limits.</summary>
    private object? Ask(string sql)
    {
        using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(looking) { Pooling = false }.ConnectionString);
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

    /// <summary>No secret of the play stands in the log.</summary>
    public bool KeepsSecrets => !new[] { MasterKey, DataPlanePeer.Secret, ModelKey, $"{BoxTokenPrefix}{World.Key.Organization}" }.Any(secret => Log.Text.Contains(secret, StringComparison.Ordinal));

    public async ValueTask DisposeAsync()
    {
        output.WriteLine(Log.Text);
        foreach (var proxy in Proxies) await proxy.DisposeAsync();
        await plane.DisposeAsync();
        if (Server is not null) await Server.DisposeAsync();
        else await PostgresFixture.DropDatabaseAsync(Database);
        Directory.Delete(folder, recursive: true);
    }

    private static string BoxTokenPrefix => Ports.Session.BoxToken.Prefix;

    private static string Impatient(string connectionString) => new NpgsqlConnectionStringBuilder(connectionString)
    {
        Timeout = 2,
        CommandTimeout = 2,
        CancellationTimeout = 200,
        MaxPoolSize = PoolSize,
        MaxAutoPrepare = 50,
    }.ConnectionString;

    private IEnumerable<KeyValuePair<string, string?>> Settings() =>
    [
        new("Database:ConnectionString", Impatient(Writes.Through(ConnectionString))),
        new("Database:Journal:Writers", "1"),
        new("Database:Journal:StatementTimeout", "00:00:02"),
        new("Database:Journal:OutagePatience", ownServer ? "00:00:10" : "00:00:00.5"),
        new("Database:Feed:PollInterval", "00:00:00.2"),
        new("Vault:MasterKey", MasterKey),
        new("Artifacts:Directory", Path.Combine(folder, "artifacts")),
        new("Sandbox:Modal:Urls:0", Boxes.Url.AbsoluteUri),
        new("Sandbox:Modal:KeyId", DataPlanePeer.KeyId),
        new("Sandbox:Modal:Secret", DataPlanePeer.Secret),
        new("Sandbox:Modal:ControlPlaneUrl", "http://127.0.0.1:9"),
        new("Sandbox:Modal:CreateSeconds", "1"),
        new("Sandbox:Modal:DestroySeconds", "1"),
        new("Sandbox:Modal:LookSeconds", "1"),
        new("Sandbox:Egress:Exceptions:0", $"127.0.0.1:{Git.EndPoint.Port}"),
        new("Git:LookTimeout", "00:00:02"),
        new("Git:FetchTimeout", "00:00:02"),
        new("Models:Providers:demo:BaseUrl", new Uri(Models.Url, "model/v1/demo").AbsoluteUri),
        new("Models:Providers:demo:Auth", "Optional"),
        new("Models:Providers:acme:BaseUrl", new Uri(Models.Url, "model/v1/acme").AbsoluteUri),
        new("Models:ConnectTimeout", "00:00:01"),
        new("Models:FirstByteTimeout", "00:00:01"),
        new("Models:IdleTimeout", "00:00:01"),
        new("Notifier:AddressExceptions:0", $"127.0.0.1:{Receiver.EndPoint.Port}"),
        new("Notifier:ConnectTimeout", "00:00:01"),
        new("Notifier:HeadersTimeout", "00:00:01"),
        new("Notifier:BodyTimeout", "00:00:01"),
    ];
}
