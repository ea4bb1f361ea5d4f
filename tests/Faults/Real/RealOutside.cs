using System.Globalization;
using System.Text;
using Coordinator.Adapters.DirectModels;
using Coordinator.Adapters.FileSystem;
using Coordinator.Adapters.Git;
using Coordinator.Adapters.GitHubApp;
using Coordinator.Adapters.HttpNotifier;
using Coordinator.Adapters.InProcess;
using Coordinator.Adapters.LocalIdentity;
using Coordinator.Adapters.Modal;
using Coordinator.Adapters.Postgres;
using Coordinator.Modules.Sessions;
using Coordinator.Ports.Identity;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Git;
using Coordinator.Tests.Support.Http;
using Coordinator.Tests.Support.Network;
using Coordinator.Tests.Support.Storage;
using Coordinator.Tests.WalkingSkeleton.World;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Xunit.Abstractions;

namespace Coordinator.Tests.Faults.Real;

/// <summary>
/// The real adapters of every port that is reached over a network, each behind a proxy of its own. Boxes and agents stay
/// those of the skeleton. Where a play is of who never answers, every adapter is as impatient as its options allow.
/// </summary>
public sealed partial class RealOutside : IOutside
{
    private const int PoolSize = 6;
    private const string MasterKey = "Y2FuYXJ5LW1hc3Rlci1rZXktMDEyMzQ1Njc4OTAxMjM=";

    /// <summary>The key that the plays' organizations pay a model with.</summary>
    public const string ModelKey = "sk-canary-0123456789";

    private readonly RealPeers peers;
    private readonly ITestOutputHelper output;
    private readonly bool ownServer;
    private readonly bool smallDisk;
    private readonly bool isImpatient;
    private readonly string folder = Directory.CreateTempSubdirectory("disrupt-").FullName;
    private DataPlanePeer plane = null!;
    private DataPlanePeer? rotated;
    private Uri planeUrl = null!;
    private string looking = "";
    private bool hasOrganization;

    /// <param name="play">What is played: whether the database has a server of its own, artifacts a disk of their own, and how patient adapters are.</param>
    public RealOutside(RealPeers peers, ITestOutputHelper output, RealPlay play)
    {
        ArgumentNullException.ThrowIfNull(play);
        (this.peers, this.output, ownServer, smallDisk, isImpatient) = (peers, output, play.OnOwnServer, play.OnSmallDisk, play.IsImpatient);
    }

    public RealPeers Peers => peers;

    public Skeleton World { get; private set; } = null!;

    /// <summary>Everything that was logged.</summary>
    public CapturedLog Log => World.Log;

    /// <summary>The database for what is written in the host's own name: the journal's appends, leases and alarms.</summary>
    public FaultProxy Writes { get; private set; } = null!;

    /// <summary>The database for what is done in an organization's name: reads, runs, the directory, the feed.</summary>
    public FaultProxy Rows { get; private set; } = null!;

    /// <summary>The data plane that makes boxes.</summary>
    public FaultProxy Boxes { get; private set; } = null!;

    public FaultProxy Models { get; private set; } = null!;

    public FaultProxy Git { get; private set; } = null!;

    public FaultProxy Receiver { get; private set; } = null!;

    /// <summary>The API of the host that boxes push to.</summary>
    public FaultProxy GitHub { get; private set; } = null!;

    /// <summary>The git server that boxes push to.</summary>
    public FaultProxy Pushes { get; private set; } = null!;

    public Uri SecureGitUrl => new($"https://{Pushes.EndPoint}/");

    public OwnPostgresServer? Server { get; private set; }

    /// <summary>Where artifacts are kept, when it may be filled.</summary>
    public SmallDisk? Disk { get; private set; }

    /// <summary>Where artifacts are kept.</summary>
    public string ArtifactFolder => Path.Combine(Disk?.Path ?? folder, "artifacts");

    /// <summary>The clock of the data plane.</summary>
    public TimeSpan PlaneSkew
    {
        set => plane.Clock.Skew = value;
    }

    /// <summary>Connects to the play's database past all proxies.</summary>
    public string ConnectionString { get; private set; } = "";

    private IEnumerable<FaultProxy> Proxies => [Writes, Rows, Boxes, Models, Git, Receiver, GitHub, Pushes];

    public async Task StartAsync(Skeleton world)
    {
        World = world;
        if (ownServer) Server = await OwnPostgresServer.StartAsync();
        ConnectionString = Server is { } own ? own.ConnectionString : await peers.NewDatabaseAsync();
        looking = Server?.ConnectionString ?? (await PostgresTestServer.GetAsync()).Administrator;
        (Writes, Rows) = (PostgresBehindProxy.Before(ConnectionString), PostgresBehindProxy.Before(ConnectionString));
        if (smallDisk) Disk = await SmallDisk.MountAsync();
        plane = await DataPlanePeer.StartAsync(world.Provider);
        planeUrl = plane.Url;
        (Boxes, Models, Git, Receiver) = (new(planeUrl), new(peers.Models.BaseUrl), new(peers.Git.Address), new(peers.Receiver));
        (GitHub, Pushes) = (new(peers.GitHub.Address), new(peers.SecureGit.Address));
    }

    public void AddAdapters(IServiceCollection services)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(Settings()).Build();
        services
            .AddLogging(logging => logging.AddFilter("Npgsql", LogLevel.Information).AddFilter("Microsoft", LogLevel.Information))
            .AddPostgres(configuration)
            .AddSingleton(_ => PostgresFixture.SharedPool(Bounded(Rows.Through(ConnectionString))))
            .AddPostgresTenantDirectory()
            .AddPostgresRunHistory()
            .AddPostgresEventFeed()
            .AddLocalIdentity(configuration)
            .AddModalSandbox(configuration)
            .AddGitSourceControl(configuration)
            .AddGitHubApp(configuration)
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
        World.Skew = plane.Clock.Skew = TimeSpan.Zero;
        Disk?.MakeRoom();
        if (rotated is not null) Boxes.MoveTo(planeUrl);
        HealDatabase();
    }

    /// <summary>How often a fault was really done to an adapter.</summary>
    public int Shown => Proxies.Sum(proxy => proxy.Shown) + CountRefused();

    /// <summary>How many connections of the adapters' the database has, of those that a condition is true of.</summary>
    public int CountConnections(string condition) => Convert.ToInt32(Ask($"SELECT count(*) FROM pg_stat_activity WHERE {IsOurs} AND {condition}"), CultureInfo.InvariantCulture);

    /// <summary>The data plane knows our key no more: another stands in its place.</summary>
    public async ValueTask RotatePlaneKeyAsync()
    {
        rotated = await DataPlanePeer.StartAsync(World.Provider, "canary-another-secret-0123456789-abcdef");
        Boxes.MoveTo(rotated.Url);
    }

    /// <summary>The session's organization keeps a secret, over the real vault and directory.</summary>
    public async ValueTask StoreSecretAsync(string name, string value)
    {
        var (organization, directory, now) = (World.Key.Organization, World.Port<ITenantDirectory>(), TimeProvider.System.GetUtcNow());
        if (!hasOrganization)
        {
            var owner = await directory.EnsureOwnerAsync(CancellationToken.None);
            await directory.CreateOrganizationAsync(new(organization, "Acme", owner.User, now), CancellationToken.None);
            hasOrganization = true;
        }

        var secret = await World.Port<ITenantVault>().SealAsync(organization, name, Encoding.UTF8.GetBytes(value), CancellationToken.None);
        await directory.PutSecretAsync(organization, new(name, secret, "hint", now), CancellationToken.None);
    }

    /// <summary>No secret of the play stands in the log.</summary>
    public bool KeepsSecrets => !new[] { MasterKey, DataPlanePeer.Secret, ModelKey, $"{BoxTokenPrefix}{World.Key.Organization}" }.Any(secret => Log.Text.Contains(secret, StringComparison.Ordinal));

    public async ValueTask DisposeAsync()
    {
        output.WriteLine(Log.Text);
        foreach (var proxy in Proxies) await proxy.DisposeAsync();
        await plane.DisposeAsync();
        if (rotated is not null) await rotated.DisposeAsync();
        Disk?.Dispose();
        if (Server is not null) await Server.DisposeAsync();
        else await PostgresFixture.DropDatabaseAsync(Database);
        Directory.Delete(folder, recursive: true);
    }

    private static string BoxTokenPrefix => Ports.Session.BoxToken.Prefix;

    private int Seconds => isImpatient ? 1 : 15;

    private string Wait => TimeSpan.FromSeconds(Seconds).ToString();

    private string LongerWait => TimeSpan.FromSeconds(2 * Seconds).ToString();

    private string Bounded(string connectionString) => new NpgsqlConnectionStringBuilder(connectionString)
    {
        Timeout = 2 * Seconds,
        CommandTimeout = 2 * Seconds,
        CancellationTimeout = 200,
        MaxPoolSize = PoolSize,
        MaxAutoPrepare = 50,
    }.ConnectionString;

    private IEnumerable<KeyValuePair<string, string?>> Settings() =>
    [
        new("Database:ConnectionString", Bounded(Writes.Through(ConnectionString))),
        new("Database:Journal:Writers", "1"),
        new("Database:Journal:StatementTimeout", LongerWait),
        new("Database:Journal:OutagePatience", ownServer ? "00:00:10" : "00:00:00.5"),
        new("Database:Feed:PollInterval", "00:00:00.2"),
        new("Vault:MasterKey", MasterKey),
        new("Artifacts:Directory", ArtifactFolder),
        new("Sandbox:Modal:Urls:0", Boxes.Url.AbsoluteUri),
        new("Sandbox:Modal:KeyId", DataPlanePeer.KeyId),
        new("Sandbox:Modal:Secret", DataPlanePeer.Secret),
        new("Sandbox:Modal:ControlPlaneUrl", "http://127.0.0.1:9"),
        new("Sandbox:Modal:CreateSeconds", Seconds.ToString(CultureInfo.InvariantCulture)),
        new("Sandbox:Modal:DestroySeconds", Seconds.ToString(CultureInfo.InvariantCulture)),
        new("Sandbox:Modal:LookSeconds", Seconds.ToString(CultureInfo.InvariantCulture)),
        new("Sandbox:Egress:Exceptions:0", $"127.0.0.1:{Git.EndPoint.Port}"),
        new("Sandbox:Egress:Exceptions:1", $"127.0.0.1:{GitHub.EndPoint.Port}"),
        new("GitHubApp:AppId", ScriptedGitHub.AppId),
        new("GitHubApp:PrivateKey", ScriptedGitHub.PrivateKey),
        new("GitHubApp:Host", SecureGitUrl.Authority),
        new("GitHubApp:ApiUrl", GitHub.Url.AbsoluteUri),
        new("GitHubApp:Organizations:*:0", RealPeers.Account),
        new("Git:LookTimeout", LongerWait),
        new("Git:MaxFiles", "3"),
        new("Git:FetchTimeout", LongerWait),
        new("Models:Providers:demo:BaseUrl", new Uri(Models.Url, "model/v1/demo").AbsoluteUri),
        new("Models:Providers:demo:Auth", "Optional"),
        new("Models:Providers:acme:BaseUrl", new Uri(Models.Url, "model/v1/acme").AbsoluteUri),
        new("Models:ConnectTimeout", Wait),
        new("Models:FirstByteTimeout", Wait),
        new("Models:IdleTimeout", Wait),
        new("Notifier:AddressExceptions:0", $"127.0.0.1:{Receiver.EndPoint.Port}"),
        new("Notifier:ConnectTimeout", Wait),
        new("Notifier:HeadersTimeout", Wait),
        new("Notifier:BodyTimeout", Wait),
    ];
}
