using Coordinator.Client;
using Coordinator.Tests.Chaos.Checks;
using Coordinator.Tests.Chaos.Load;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Following;
using Coordinator.Tests.Support.Hosting;
using Coordinator.Tests.Support.Network;
using Npgsql;

namespace Coordinator.Tests.Chaos.World;

/// <summary>
/// The real thing: one published host with its own PostgreSQL and boxes, or several that share a PostgreSQL and a sandbox host;
/// real boxes with the scripted agent; and between every client and its host, and every box and what it dials, a network that can be hurt.
/// </summary>
internal sealed class ChaosWorld(bool merges, OlderRelease? older) : IAsyncDisposable
{
    public const string Model = "demo/scripted";
    public const string Agent = "opencode-acp"; // the box drives the scripted agent as it drives OpenCode over ACP

    /// <summary>After this long unheard a host is dead to its peers.</summary>
    public static readonly TimeSpan TimeToLive = TimeSpan.FromSeconds(10);

    private static readonly string AgentProgram = Path.Combine(AppContext.BaseDirectory, "scripted-agent.sh");
    private static readonly TimeSpan LongPatience = TimeSpan.FromMinutes(5);

    private readonly string shared = Directory.CreateTempSubdirectory("coordinator-chaos-").FullName;
    private readonly BoxLinks links = new();
    private readonly List<HostProcess> hosts = [];
    private readonly List<FaultProxy> networks = [];
    private readonly List<FaultProxy> databaseNetworks = [];
    private OwnPostgresServer? database;
    private SandboxHostProcess? boxes;

    public IReadOnlyList<HostProcess> Hosts => hosts;

    /// <summary>What stands before each host.</summary>
    public IReadOnlyList<FaultProxy> Networks => networks;

    /// <summary>What stands between each host and PostgreSQL, where they share one.</summary>
    public IReadOnlyList<FaultProxy> DatabaseNetworks => databaseNetworks;

    public SandboxHostProcess SandboxHost => boxes ?? throw new InvalidOperationException("The host has boxes of its own.");

    /// <summary>What of it was upgraded so far; null where it began as the present release.</summary>
    public Upgraded? Upgraded => older is null ? null : new(hosts.Count(host => host.IsUpgraded), hosts.Count, boxes is { IsUpgraded: true } ? 1 : 0, boxes is null ? 0 : 1);

    /// <summary>Those that run as the older release still.</summary>
    public IReadOnlyList<HostProcess> HostsToUpgrade => older is null ? [] : [.. hosts.Where(host => !host.IsUpgraded)];

    public string ApiKey { get; private set; } = string.Empty;

    /// <summary>Starts one host with a database of its own, or several on one.</summary>
    /// <param name="merges">Sessions that sleep for the shortest time that may be set have their text merged.</param>
    /// <param name="older">Where given, everything begins as that release, and is of the present one whenever it is started again.</param>
    public static async Task<ChaosWorld> StartAsync(int count, bool merges = false, OlderRelease? older = null)
    {
        var world = new ChaosWorld(merges, older);
        try
        {
            if (count > 1)
            {
                world.database = await OwnPostgresServer.StartAsync(hasSchema: false); // the first host brings its own
                world.boxes = await SandboxHostProcess.LaunchAsync(AgentProgram, world.links.Bubblewrap, older);
            }

            for (var host = 0; host < count; host++) world.hosts.Add(await HostProcess.LaunchAsync(world.Settings(), hasPeers: count > 1, older: older));
            world.networks.AddRange(world.hosts.Select(host => new FaultProxy(host.Url)));
            using var visitor = new CoordinatorClient(world.hosts[^1].Url);
            world.ApiKey = (await visitor.SignInAsync(world.hosts[^1].SignInSecret, "Chaos", CancellationToken.None)).Key;
            return world;
        }
        catch (Exception)
        {
            await world.DisposeAsync();
            throw;
        }
    }

    /// <summary>A client whose calls go through the network before a host.</summary>
    public CoordinatorClient ClientOf(int host) => new(networks[host % networks.Count].Url, ApiKey) { Patience = LongPatience, CallTimeout = TimeSpan.FromSeconds(30) };

    /// <summary>A client that nothing stands before.</summary>
    public CoordinatorClient DirectClient() => new(hosts[^1].Url, ApiKey) { Patience = LongPatience };

    /// <summary>Opens the way between a session's box and what it dials, before which it has none.</summary>
    public FaultProxy OpenLink(string session) => links.Open(session, boxes?.BoxSocket ?? hosts[0].BoxSocket);

    /// <summary>All hosts by their networks, beginning with this one.</summary>
    public IReadOnlyList<Uri> Urls(int first) => [.. Enumerable.Range(0, networks.Count).Select(host => networks[(first + host) % networks.Count].Url)];

    /// <summary>Kills PostgreSQL's main process; whoever runs it starts it again. False when it does not run in this moment.</summary>
    public bool KillDatabase() => database?.Kill() ?? hosts[0].KillDatabase();

    /// <summary>Under which id a host lives to its peers, once it is one that fits; null when that does not come.</summary>
    public async Task<Guid?> RegisteredAsync(HostProcess host, Func<Guid, bool> fits, CancellationToken cancellationToken)
    {
        await using var watch = new JournalWatch(database!.ConnectionString);
        for (var began = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(began) < Bounds.Stuck;)
        {
            try
            {
                if (await watch.IdsAsync(host.Url) is [.., var newest] && fits(newest) && await watch.IsAliveAsync(newest)) return newest;
            }
            catch (NpgsqlException)
            {
                // The database is just coming back from a strike of its own.
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken);
        }

        return null;
    }

    /// <summary>The addresses of the hosts whose these sessions are; empty when the database cannot be asked in this moment.</summary>
    public async Task<IReadOnlyCollection<Uri?>> OwnersAsync(IEnumerable<string> sessions)
    {
        if (database is null) return [hosts[0].Url];
        await using var watch = new JournalWatch(database.ConnectionString);
        try
        {
            List<Uri?> owners = [];
            foreach (var session in sessions) owners.Add(await watch.OwnerAsync(session));
            return owners;
        }
        catch (NpgsqlException)
        {
            return []; // it is just coming back from a strike of its own
        }
    }

    /// <summary>Leaves what the programs said.</summary>
    public void Keep(EvidenceFolder folder)
    {
        for (var host = 0; host < hosts.Count; host++) folder.Keep($"host-{host}.log", [hosts[host].Output]);
        if (boxes is not null) folder.Keep("sandbox-host.log", [boxes.Output]);
    }

    /// <summary>Everything that the agents of a session noted.</summary>
    public IReadOnlyList<string> PromptsRun(string session) =>
        Path.Combine(FolderOf(session), "data", "workspace", "prompts") is var notes && File.Exists(notes) ? [.. File.ReadLines(notes)] : [];

    /// <summary>Where the agents of a session note how far they are.</summary>
    public string SaidBy(string session) => Path.Combine(FolderOf(session), "data", "workspace", "said");

    /// <summary>The programs of boxes that a session has running.</summary>
    public static IReadOnlyList<LiveProcess> BoxesOf(string session) =>
        [.. LiveProcess.Naming(session).Where(process => process.Command.StartsWith("/opt/coordinator/coordinator-box", StringComparison.Ordinal))];

    /// <summary>What is left of a session's boxes: processes, and folders.</summary>
    public IReadOnlyList<string> RemainsOf(string session) =>
        [.. LiveProcess.Naming(session).Select(process => process.ToString()), .. Directory.Exists(FolderOf(session)) ? [FolderOf(session)] : Array.Empty<string>()];

    /// <summary>What the database itself says against a session's records, of which so many events were shown.</summary>
    public Task<IReadOnlyList<string>> FlawsAsync(string session, long events) => AsksAsync(watch => watch.FlawsAsync(session, events));

    /// <summary>Asks the database, with no connection of before the last kill.</summary>
    public async Task<T> AsksAsync<T>(Func<JournalWatch, Task<T>> question)
    {
        await using var watch = new JournalWatch(database?.ConnectionString ?? hosts[0].EmbeddedConnectionString);
        return await question(watch);
    }

    public static async Task<IReadOnlyList<ShownEvent>> JournalOfAsync(CoordinatorClient client, string session, CancellationToken cancellationToken)
    {
        List<ShownEvent> kept = [];
        for (string? after = null; ;)
        {
            var page = await client.ListEventsAsync(session, after, 1_000, cancellationToken);
            kept.AddRange(page.Items.Select(StreamFollower.Shown));
            if (page.NextCursor is null) return kept;
            after = page.NextCursor;
        }
    }

    public async ValueTask DisposeAsync()
    {
        List<Exception> problems = [];
        foreach (var network in networks) await TryAsync(network);
        foreach (var host in hosts) await TryAsync(host);
        foreach (var network in databaseNetworks) await TryAsync(network);
        if (boxes is not null) await TryAsync(boxes);
        if (database is not null) await TryAsync(database);
        links.Dispose();
        Directory.Delete(shared, recursive: true);
        if (problems.Count > 0) throw new AggregateException(problems);

        async Task TryAsync(IAsyncDisposable one)
        {
            try
            {
                await one.DisposeAsync();
            }
            catch (Exception problem)
            {
                problems.Add(problem);
            }
        }
    }

    private string FolderOf(string session) => Path.Combine(boxes?.DataDirectory ?? hosts[0].DataDirectory, "sandboxes", "sessions", session);

    private Dictionary<string, string> Settings()
    {
        Dictionary<string, string> settings = new()
        {
            ["Sessions:Agents:0"] = Agent,
            ["Sandbox:Local:Agents:opencode"] = AgentProgram,
            ["Sandbox:Local:Agents:opencode-acp"] = AgentProgram,
            ["Sandbox:Local:Bubblewrap"] = links.Bubblewrap,
        };
        if (merges)
        {
            settings["Sessions:CompactAfter"] = "00:01:00";
            settings["Sessions:Host:HibernateAfter"] = "00:00:02";
        }

        if (database is null || boxes is null) return settings;
        databaseNetworks.Add(PostgresBehindProxy.Before(database.ConnectionString));
        settings["Database:ConnectionString"] = databaseNetworks[^1].Through(database.ConnectionString);
        settings["Database:Hosts:TimeToLive"] = TimeToLive.ToString();
        settings["Vault:KeyFile"] = Path.Combine(shared, "master.key");
        settings["Artifacts:Directory"] = Path.Combine(shared, "artifacts");
        settings["Sandbox:Deployment"] = Path.GetFileName(shared); // one for all
        foreach (var (key, value) in boxes.HostSettings) settings[key] = value;
        return settings;
    }
}
