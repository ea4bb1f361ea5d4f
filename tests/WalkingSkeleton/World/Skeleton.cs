using System.Text.Json;
using Coordinator.Adapters.InProcess;
using Coordinator.Fakes;
using Coordinator.Fakes.Compute;
using Coordinator.Modules.Kernel;
using Coordinator.Modules.Models;
using Coordinator.Modules.Runs;
using Coordinator.Modules.Sandboxes;
using Coordinator.Modules.SessionAccess;
using Coordinator.Modules.SessionAccess.Bridge;
using Coordinator.Modules.Sessions;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Identity;
using Coordinator.Ports.Models;
using Coordinator.Ports.Record;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Coordinator.Tests.WalkingSkeleton.World;

/// <summary>
/// The whole of Coordinator in memory around one session: real modules and session host, fakes for everything outside,
/// boxes made of the real box program's parts. Time is virtual; it moves only when a test waits or lets it pass. A test
/// may put real adapters in the place of fakes (<see cref="IOutside"/>); such a world lives on real time.
/// </summary>
public sealed partial class Skeleton : IAsyncDisposable
{
    private readonly bool fakeHost;
    private readonly IOutside? outside;
    private readonly string folder = Directory.CreateTempSubdirectory("skeleton-").FullName;
    private readonly CancellationTokenSource closing = new();
    private readonly Lock gate = new();
    private readonly List<SkeletonBox> boxes = [];
    private readonly List<IAsyncDisposable> kept = [];
    private readonly List<SandboxSpec> quiet = [];
    private ServiceProvider services = null!;
    private Task following = Task.CompletedTask;

    private Skeleton(bool fakeHost, IOutside? outside)
    {
        (this.fakeHost, this.outside) = (fakeHost, outside);
        Clock = outside is null ? Time : RealTime;
        Store = new(Clock);
        Journal = new(Store);
        Alarms = new(Store);
        Hosts = new(Store);
        Provider = new(Clock) { Program = StartBox, Ended = KillBox };
        Tenants = new(Clock);
        Authenticator = new(Tenants, Clock);
        Feed = new(Clock);
        Notifier = new(Clock);
        Source = new() { Time = Clock };
        Key = new(OrganizationId.New(Clock), SessionId.New(Clock));
        Gateway.AddProvider("demo", ModelWire.OpenAiChat, needsKey: false, isDemo: true);
        Gateway.AddProvider("acme", ModelWire.OpenAiChat);
        Watch = new(() => Host, Key, Clock);
    }

    /// <summary>What every part of the world reads the time from.</summary>
    public TimeProvider Clock { get; }

    /// <summary>The clock of a world without real adapters.</summary>
    public ManualTime Time { get; } = new();

    /// <summary>The clock of a world with real adapters.</summary>
    public SkewedTime RealTime { get; } = new();

    /// <summary>True in a world on real time.</summary>
    public bool IsReal => outside is not null;

    /// <summary>How far the world's wall clock, whichever it is, is wrong.</summary>
    public TimeSpan Skew
    {
        set => Time.Skew = RealTime.Skew = value;
    }

    /// <summary>Everything that any host of the world logs.</summary>
    public CapturedLog Log { get; } = new();

    public InMemoryJournalStore Store { get; }

    public InMemorySessionJournal Journal { get; }

    public InMemoryAlarmClock Alarms { get; }

    public InMemoryHostRegistry Hosts { get; }

    public InMemorySandboxProvider Provider { get; }

    public InMemoryRunHistory History { get; } = new();

    public InMemoryEventFeed Feed { get; }

    public InMemoryNotifier Notifier { get; }

    public InMemoryArtifactStore Artifacts { get; } = new();

    public InMemorySourceControl Source { get; }

    public ScriptedModelGateway Gateway { get; } = new();

    public InMemoryModelCatalog Catalog { get; } = new(InMemoryModelCatalog.Priced("demo/scripted"), InMemoryModelCatalog.Priced("acme/fast"));

    public InMemoryTenantDirectory Tenants { get; }

    public InMemoryAuthenticator Authenticator { get; }

    public InMemoryTenantVault Vault { get; } = new();

    public TestTokens Tokens { get; } = new();

    /// <summary>What every agent was ever asked.</summary>
    public ScriptedAgentStore Agents { get; } = new();

    /// <summary>What agents do about a prompt.</summary>
    public AgentScript Script { get; set; } = DirectiveScript.Play;

    /// <summary>What the first agent of the next box does wrong in its first turn.</summary>
    public ScriptedAgentFault NextAgentFault { get; set; }

    /// <summary>The agent that was started last.</summary>
    public ScriptedAgentRuntime? Agent { get; private set; }

    /// <summary>What boxes start as their agent; anything below <c>/nowhere</c> does not start.</summary>
    public string AgentExecutable { get; set; } = "/agent";

    /// <summary>False: boxes come to be and are never heard of.</summary>
    public bool BoxesDialBack { get; set; } = true;

    public SessionKey Key { get; }

    public Principal Ada { get; } = new(PrincipalKind.User, "usr_ada", "Ada");

    public SessionWatch Watch { get; }

    public ISessionHost Host => services.GetRequiredService<ISessionHost>();

    /// <summary>The host, when it is the fake.</summary>
    public InMemorySessionHost? FakeHost => Host as InMemorySessionHost;

    /// <summary>Sessions in memory; null where the host cannot say.</summary>
    public int? ActiveSessions => services.GetService<InProcessSessionHost>()?.ActiveCount;

    /// <summary>Boxes of which something still runs.</summary>
    public int LivingBoxes
    {
        get
        {
            lock (gate) return boxes.Count(box => !box.Ended.IsCompleted);
        }
    }

    /// <summary>Boxes dial back from now on, those too that came to be and have not.</summary>
    public void LetBoxesDialBack()
    {
        BoxesDialBack = true;
        List<SandboxSpec> beginning;
        lock (gate)
        {
            beginning = [.. quiet];
            quiet.Clear();
        }

        foreach (var spec in beginning) Begin(spec);
    }

    /// <summary>The adapter, or fake, that serves a port of this world.</summary>
    public T Port<T>()
        where T : class => services.GetRequiredService<T>();

    public static Task<Skeleton> StartAsync(bool fakeHost = false, IOutside? outside = null) => Task.Run(async () =>
    {
        var world = new Skeleton(fakeHost, outside);
        if (outside is not null) await outside.StartAsync(world);
        world.services = world.Compose();
        await world.StartHostAsync();
        world.following = world.Watch.FollowAsync(world.closing.Token);
        return world;
    });

    /// <summary>Ends the host in good order, with the session wherever it stands, and starts another over the same stores, at once or later.</summary>
    public Task RestartHostAsync(TimeSpan away = default) => Task.Run(async () =>
    {
        var old = services;
        services = Compose();
        await StopAsync(old);
        await PassAsync(away);
        await StartHostAsync();
    });

    /// <summary>Ends everything of the world but what is outside of it.</summary>
    public async Task StopHostAsync()
    {
        if (closing.IsCancellationRequested) return;
        await closing.CancelAsync();
        foreach (var box in Boxes()) box.Kill();
        await Task.WhenAll(Boxes().Select(box => box.Ended));
        Journal.Faults.Clear();
        await StopAsync(services);
        await following;
        await Task.WhenAll(alsoFollowing);
    }

    /// <summary>Something that ends with the world.</summary>
    public T Keep<T>(T what)
        where T : IAsyncDisposable
    {
        kept.Add(what);
        return what;
    }

    public async ValueTask DisposeAsync()
    {
        await StopHostAsync();
        foreach (var what in kept) await what.DisposeAsync();
        if (outside is not null) await outside.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private ServiceProvider Compose()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Sandbox:Deployment"] = "skeleton", ["Sessions:CompactAfter"] = "00:00:00" }).Build();
        var parts = new ServiceCollection()
            .AddLogging(logging => logging.AddProvider(Log).SetMinimumLevel(LogLevel.Debug))
            .AddSingleton(Clock)
            .AddSingleton<ISessionJournal>(Journal)
            .AddSingleton<IAlarmClock>(Alarms)
            .AddSingleton<ISandboxProvider>(Provider)
            .AddSingleton<IRunHistory>(History)
            .AddSingleton<IArtifactStore>(Artifacts)
            .AddSingleton<ISourceControl>(Source)
            .AddSingleton<IModelGateway>(Gateway)
            .AddSingleton<IModelCatalog>(Catalog)
            .AddSingleton<ITenantDirectory>(Tenants)
            .AddSingleton<IAuthenticator>(Authenticator)
            .AddSingleton<IBoxTokenScheme>(Tokens)
            .AddSessionsModule()
            .AddSandboxesModule(configuration)
            .AddRunsModule()
            .AddModelsModule(configuration)
            .AddSessionAccessModule(configuration)
            .AddKernel(typeof(SessionAccessOptions).Assembly, typeof(Coordinator.Modules.Models.Registration).Assembly);
        if (fakeHost) parts.AddSingleton<ISessionHost>(made => new InMemorySessionHost(made.GetRequiredService<ISessionMachineFactory>(), [.. made.GetServices<ISessionEffectRunner>()], Clock));
        else parts.AddInProcessSessionHost(configuration);
        outside?.AddAdapters(parts);
        return parts.BuildServiceProvider();
    }

    private async Task StartHostAsync()
    {
        foreach (var service in services.GetServices<IHostedService>()) await service.StartAsync(CancellationToken.None);
    }

    private static async Task StopAsync(ServiceProvider old)
    {
        await old.GetRequiredService<ISessionHost>().DrainAsync(CancellationToken.None);
        foreach (var service in old.GetServices<IHostedService>()) await service.StopAsync(CancellationToken.None);
        await old.DisposeAsync();
    }

    private ValueTask StartBox(SandboxSpec spec, CancellationToken cancellationToken)
    {
        lock (gate) quiet.Add(spec);
        if (BoxesDialBack) LetBoxesDialBack();
        return ValueTask.CompletedTask;
    }

    private void Begin(SandboxSpec spec)
    {
        var parts = new SkeletonBoxParts(() => Host, services.GetRequiredService<BoxBriefings>(), Port<IArtifactStore>(), NewAgent, AgentExecutable, Environment, folder, Clock);
        lock (gate) boxes.Add(new SkeletonBox(parts, spec, Task.WhenAll(boxes.Where(box => box.Session == spec.Session).Select(box => box.Ended))));
    }

    private void KillBox(SandboxId sandbox) => Task.Run(() => Boxes().FirstOrDefault(box => box.Sandbox == sandbox)?.Kill());

    private IReadOnlyList<SkeletonBox> Boxes()
    {
        lock (gate) return [.. boxes];
    }

    private ScriptedAgentRuntime NewAgent()
    {
        var agent = new ScriptedAgentRuntime(Agents, Clock, (conversation, prompt) => Script(conversation, prompt)) { NextFault = NextAgentFault };
        NextAgentFault = ScriptedAgentFault.None;
        Agent = agent;
        return agent;
    }
}
