using System.Net;
using System.Security.Cryptography;
using System.Text;
using Coordinator.Adapters.InProcess;
using Coordinator.Adapters.InProcess.Cluster;
using Coordinator.Fakes;
using Coordinator.Modules.Sessions;
using Coordinator.Modules.Sessions.Actor;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support.Network;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionHost;

/// <summary>One imagined database: what the hosts of a test share.</summary>
internal sealed class ClusterStore
{
    public ClusterStore()
    {
        var store = new InMemoryJournalStore(TimeProvider.System);
        (Journal, Alarms, Hosts) = (new(store), new(store), new(store));
    }

    public InMemorySessionJournal Journal { get; }

    public InMemoryAlarmClock Alarms { get; }

    public InMemoryHostRegistry Hosts { get; }
}

/// <summary>One host of a cluster: its session host, and a real server for its peers.</summary>
internal sealed class ClusterNode : IAsyncDisposable
{
    private readonly WebApplication app;

    private ClusterNode(WebApplication app) => this.app = app;

    public ClusterSessionHost Host => app.Services.GetRequiredService<ClusterSessionHost>();

    public Member Member => Host.Members.Find() ?? throw new InvalidOperationException("It is no host now.");

    public IHostDependency Dependency => app.Services.GetServices<IHostDependency>().Single();

    public PeerSigner Signer => app.Services.GetRequiredService<PeerSigner>();

    public static async Task<ClusterNode> StartAsync(ClusterStore store, ISessionEffectRunner effects, string masterKey = "a key that all hosts share", string searchTime = "00:00:15", string watchInterval = "00:00:00.100", TimeProvider? time = null, bool isHostAtStart = true, Action<IServiceCollection>? change = null)
    {
        var url = $"http://127.0.0.1:{LoopbackPort.Find()}";
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Cluster:Address"] = url, ["Cluster:WatchInterval"] = watchInterval, ["Cluster:SearchTime"] = searchTime }).Build();
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls(url);
        builder.Logging.ClearProviders();
        builder.Services
            .AddSingleton(time ?? TimeProvider.System)
            .AddSingleton<ISessionJournal>(store.Journal)
            .AddSingleton<IAlarmClock>(store.Alarms)
            .AddSingleton<IHostRegistry>(store.Hosts)
            .AddSingleton<ITokenSigner>(new SharedKey(masterKey))
            .AddSingleton<ISessionMachineFactory>(new SessionMachineFactory(SessionLimits.Default, new PlainTokens()))
            .AddSingleton(effects)
            .AddClusterSessionHost(configuration);
        change?.Invoke(builder.Services);
        var app = builder.Build();
        app.UseWebSockets();
        app.MapCluster();
        await app.StartAsync();
        var node = new ClusterNode(app);
        var starting = node.Host.Members.StartAsync(CancellationToken.None);
        if (isHostAtStart) await starting;
        else await Assert.ThrowsAsync<PortException>(() => starting);
        return node;
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DrainAsync(CancellationToken.None);
        await app.DisposeAsync();
    }

    internal sealed class SharedKey(string key) : ITokenSigner
    {
        public byte[] Sign(string purpose, ReadOnlySpan<byte> data) => HMACSHA256.HashData(SHA256.HashData(Encoding.UTF8.GetBytes($"{key}/{purpose}")), data);
    }
}
