using Coordinator.Client;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Hosting;
using Xunit;

namespace Coordinator.Tests.Cluster.World;

/// <summary>Several real hosts on one database, and what is outside of them: a data plane, boxes, clients.</summary>
internal sealed class ClusterWorld : IAsyncDisposable
{
    public const string Model = "demo/scripted";

    /// <summary>In seconds, and longer than a test waits for anything: what a host had that died is never taken over only because it was not heard.</summary>
    private const int LongLife = 600;

    /// <summary>In seconds: with the eighth beat of it a host finds out that a fail-over has ended what it was registered as.</summary>
    private const int LifeOnPair = 16;

    private readonly PostgresFixture database = new();
    private readonly string shared = Directory.CreateTempSubdirectory("coordinator-cluster-").FullName;
    private readonly List<HostProcess> hosts = [];
    private readonly List<IAsyncDisposable> outside = [];
    private FailOverPair? pair;

    public IReadOnlyList<HostProcess> Hosts => hosts;

    public ScriptedDataPlane? Plane { get; private set; }

    public JournalWatch Journal { get; private set; } = null!;

    public string ApiKey { get; private set; } = string.Empty;

    private string ConnectionString => pair?.ConnectionString ?? database.ConnectionString;

    /// <summary>
    /// Starts hosts with boxes that tests play; <paramref name="databaseOf"/> says how each reaches the database, if not directly; <paramref name="more"/> are settings of each.
    /// They live for long unheard, in seconds, so that a machine that is busy makes none of them doubt itself.
    /// </summary>
    public static async Task<ClusterWorld> StartAsync(int count, Func<int, string, string>? databaseOf = null, int timeToLive = LongLife, IReadOnlyDictionary<string, string>? more = null)
    {
        var world = new ClusterWorld { Plane = await ScriptedDataPlane.StartAsync() };
        return await world.BeginAsync(count, databaseOf ?? (static (_, direct) => direct), timeToLive, new Dictionary<string, string>([.. world.Plane.HostSettings, .. more ?? new Dictionary<string, string>()]));
    }

    /// <summary>Starts hosts with boxes that tests play, on a pair of servers, which ends with the world; clients may be told to load anew.</summary>
    public static async Task<ClusterWorld> StartOnAsync(FailOverPair pair, int count)
    {
        var world = new ClusterWorld { Plane = await ScriptedDataPlane.StartAsync(), pair = pair };
        return await world.BeginAsync(count, static (_, both) => both, LifeOnPair, world.Plane.HostSettings);
    }

    /// <summary>Starts hosts each of which runs real boxes of its own.</summary>
    public static Task<ClusterWorld> StartWithOwnBoxesAsync(int count) => new ClusterWorld().BeginAsync(count, static (_, direct) => direct, LongLife, new Dictionary<string, string>());

    /// <summary>Starts hosts whose boxes are made outside of them, as these settings of each say; they live for so long unheard, in seconds.</summary>
    public static Task<ClusterWorld> StartWithBoxesOfAsync(int count, int timeToLive, IReadOnlyDictionary<string, string> settings) => new ClusterWorld().BeginAsync(count, static (_, direct) => direct, timeToLive, settings);

    /// <summary>The addresses of hosts, in this order.</summary>
    public IReadOnlyList<Uri> Urls(params int[] order) => [.. order.Select(host => hosts[host].Url)];

    public CoordinatorClient ClientOf(int host)
    {
        var client = new CoordinatorClient(hosts[host].Url, ApiKey) { Patience = Eventually.Bound, CallTimeout = Eventually.Bound };
        outside.Add(new Disposing(client));
        return client;
    }

    /// <summary>Makes a session with its first message at one host, so that its actor is there.</summary>
    public async Task<(string Session, string Message)> SessionAsync(int host, string prompt)
    {
        var session = await ClientOf(host).CreateSessionAsync(new(Model, "A session of several hosts", Prompt: prompt), CancellationToken.None);
        Assert.Equal(hosts[host].Url, await Journal.OwnerAsync(session.Id));
        return (session.Id, Assert.Single(session.Messages).Id);
    }

    /// <summary>Has the database take writes, or none, which ends all connections to it: it is looked into by new ones from here on.</summary>
    public async Task TakeWritesAsync(bool writable)
    {
        await database.TakeWritesAsync(writable);
        await Journal.DisposeAsync();
        Journal = new(ConnectionString);
    }

    /// <summary>Has the second server of the pair take over, and looks into that one from here on.</summary>
    public async Task PromoteSecondAsync()
    {
        await pair!.PromoteSecondAsync();
        await Journal.DisposeAsync();
        Journal = new(pair.ConnectionString);
    }

    /// <summary>Plays the box that a session has asked for: it dials hosts in this order, and stops its turns before this number.</summary>
    public async Task<ScriptedBox> BoxAsync(string session, int[] order, int holdBefore = int.MaxValue, bool mayRenew = false)
    {
        var box = new ScriptedBox(await Plane!.GrantOfAsync(session), Urls(order), holdBefore, mayRenew);
        outside.Add(box);
        return box;
    }

    /// <summary>Follows a session over hosts in this order.</summary>
    public WatchingClient Watch(string session, params int[] order)
    {
        var client = new WatchingClient(session, ApiKey, Urls(order), loadsAnew: pair is not null);
        outside.Add(client);
        return client;
    }

    /// <summary>
    /// What nobody may be able to tell: that a host was lost. Every client was shown the journal and nothing else, the
    /// journal is one unbroken log, and the turn of each message was begun once and told whole.
    /// </summary>
    public async Task HoldsAsync(string session, int askedAt, ScriptedBox box, IReadOnlyDictionary<string, int> counts, params WatchingClient[] clients)
    {
        var kept = await ShowsJournalAsync(session, askedAt, box, clients);
        foreach (var (message, count) in counts)
        {
            Assert.Equal(1, box.Runs.GetValueOrDefault(message));
            var own = kept.Where(e => e.MessageId == message).ToList();
            Assert.Single(own, e => e.Type == "message.queued");
            Assert.Single(own, e => e.Type == "message.started");
            Assert.Single(own, e => e.Type == "message.completed");
            Assert.Equal(Enumerable.Range(0, count).Select(number => $"{number} "), own.Where(e => e.Type == "agent.text").Select(WordsOf));
        }
    }

    /// <summary>Every client was shown the journal and nothing else, and the journal, which is returned, is one unbroken log.</summary>
    public async Task<IReadOnlyList<ShownEvent>> ShowsJournalAsync(string session, int askedAt, ScriptedBox box, params WatchingClient[] clients)
    {
        Assert.Null(box.Problem);
        Assert.Empty(await Journal.FlawsAsync(session));
        var kept = await JournalOfAsync(session, askedAt);
        foreach (var client in clients)
        {
            await Eventually.HoldsAsync(() => client.Problem is not null || client.Log.Count >= kept.Count, "a client to have seen everything");
            Assert.Null(client.Problem);
            Assert.Equal(kept, client.Log.Take(kept.Count));
        }

        return kept;
    }

    /// <summary>The session's events, as the journal has them.</summary>
    public async Task<IReadOnlyList<ShownEvent>> JournalOfAsync(string session, int askedAt)
    {
        List<ShownEvent> kept = [];
        for (string? after = null; ;)
        {
            var page = await ClientOf(askedAt).ListEventsAsync(session, after, 1_000, CancellationToken.None);
            kept.AddRange(page.Items.Select(e => new ShownEvent(e.Seq, e.At, e.Type, e.MessageId, e.Data.GetRawText())));
            if (page.NextCursor is null) return kept;
            after = page.NextCursor;
        }
    }

    /// <summary>What an agent said in a piece of text.</summary>
    public static string WordsOf(ShownEvent e)
    {
        using var data = System.Text.Json.JsonDocument.Parse(e.Data);
        return data.RootElement.GetProperty("text").GetString()!;
    }

    /// <summary>True when the journal holds the same piece of the same turn twice.</summary>
    public async Task<bool> HasDoubledAsync(string session, int askedAt) =>
        (await JournalOfAsync(session, askedAt)).Where(e => e.Type == "agent.text").GroupBy(e => (e.MessageId, e.Data)).Any(same => same.Count() > 1);

    /// <summary>Ends with the world, before its hosts.</summary>
    public void Also(IAsyncDisposable one) => outside.Add(one);

    public async ValueTask DisposeAsync()
    {
        List<Exception> problems = [];
        foreach (var one in Enumerable.Reverse(outside)) await TryAsync(one);
        await Task.WhenAll(hosts.Select(host => TryAsync(host)));
        if (Journal is { } journal) await TryAsync(journal);
        if (Plane is { } plane) await TryAsync(plane);
        await (pair?.DisposeAsync() ?? new ValueTask(database.DisposeAsync()));
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
                lock (problems) problems.Add(problem);
            }
        }
    }

    private async Task<ClusterWorld> BeginAsync(int count, Func<int, string, string> databaseOf, int timeToLive, IReadOnlyDictionary<string, string> boxes)
    {
        try
        {
            if (pair is null) await database.InitializeAsync();
            Journal = new(ConnectionString);
            var starting = Enumerable.Range(0, count).Select(LaunchAsync).ToList();
            await Task.WhenAll(starting).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            foreach (var host in starting.OrderBy(host => host.IsFaulted)) hosts.Add(await host); // one that did not start leaves the others to be ended
            using var visitor = new CoordinatorClient(hosts[^1].Url);
            ApiKey = (await visitor.SignInAsync(hosts[^1].SignInSecret, "Cluster", CancellationToken.None)).Key;
            return this;
        }
        catch (Exception)
        {
            await DisposeAsync();
            throw;
        }

        Task<HostProcess> LaunchAsync(int host) => HostProcess.LaunchAsync(
            new Dictionary<string, string>(boxes)
            {
                ["Database:ConnectionString"] = databaseOf(host, ConnectionString),
                ["Database:Hosts:TimeToLive"] = TimeSpan.FromSeconds(timeToLive).ToString(),
                ["Sessions:Host:SettleTime"] = TimeSpan.FromSeconds(30).ToString(), // a machine that is busy is slow to let go
                ["Vault:KeyFile"] = Path.Combine(shared, "master.key"),
                ["Artifacts:Directory"] = Path.Combine(shared, "artifacts"),
                ["Sandbox:Local:Node"] = $"machine-{host}", // each stands for a machine of its own
            },
            hasPeers: true);
    }

    private sealed class Disposing(IDisposable inner) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            inner.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
