using System.Collections.Concurrent;
using Coordinator.Adapters.InProcess.Cluster;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionHost;

/// <summary>What a host remembers of where sessions are: it spares the look-up, and costs one when it is wrong.</summary>
public sealed class LocationTests : IAsyncLifetime
{
    private const int Calls = 5;
    private static readonly Principal Ada = new(PrincipalKind.User, "usr_ada", "Ada");

    private readonly ClusterStore store = new();
    private readonly RecordingEffects effects = new();
    private readonly SessionKey key = new(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));

    /// <summary>What the host that is asked looked up, by the registry's method; and what the host did where the session was first.</summary>
    private readonly ConcurrentQueue<string> lookedUp = new();
    private readonly ConcurrentQueue<string> lookedUpAtFirst = new();

    /// <summary>How often the host where the session was first has dialed a peer.</summary>
    private int dialed;
    private ClusterNode asked = null!;
    private ClusterNode first = null!;
    private ClusterNode next = null!;

    public async Task InitializeAsync()
    {
        asked = await ClusterNode.StartAsync(store, effects, change: services => services.AddSingleton(Noted(lookedUp)));
        first = await ClusterNode.StartAsync(store, effects, change: services => services.AddSingleton(Noted(lookedUpAtFirst)).AddSingleton(s =>
            new PeerClient(s.GetRequiredService<PeerSigner>(), s.GetRequiredService<PeerVigil>(), TimeSpan.FromMinutes(5), TimeProvider.System, DialAsync)));
        next = await ClusterNode.StartAsync(store, effects);
        Assert.True((await first.Host.CallAsync(key, new SessionCommand.Create(Ada, new("demo/scripted", "opencode", null, PermissionMode.Auto), "A session"), default)).IsSuccess);
    }

    public async Task DisposeAsync()
    {
        await asked.DisposeAsync();
        await first.DisposeAsync();
        await next.DisposeAsync();
    }

    [Fact]
    public async Task A_host_looks_up_once_where_a_session_is_however_often_it_is_asked()
    {
        for (var i = 0; i < Calls; i++) await RenameAsync(asked);

        Assert.Equal([nameof(IHostRegistry.ClaimAsync)], lookedUp);
        Assert.Equal(Calls + 1, await VersionAsync());
    }

    [Fact]
    public async Task What_comes_to_where_a_session_was_goes_no_further_and_is_asked_once_of_where_it_is()
    {
        await RenameAsync(asked);
        await first.Member.Actors.BeginAnewAsync(default);
        await RenameAsync(next);
        lookedUp.Clear();
        lookedUpAtFirst.Clear();
        var version = await VersionAsync();

        await RenameAsync(asked);

        Assert.Equal([nameof(IHostRegistry.ClaimAsync)], lookedUpAtFirst); // it was asked, and found that it is another's
        Assert.Equal(0, dialed);
        Assert.Equal([nameof(IHostRegistry.ClaimAsync)], lookedUp);
        Assert.Equal((next.Member.Location.Id, version + 1), ((await store.Journal.FindHeadAsync(key, default))!.Host, await VersionAsync()));
    }

    private async Task RenameAsync(ClusterNode node) => Assert.True((await node.Host.CallAsync(key, new SessionCommand.Rename(Ada, $"Named at {node.Member.Location.Address}, {Guid.CreateVersion7()}"), default)).IsSuccess);

    private async Task<long> VersionAsync() => (await store.Journal.FindHeadAsync(key, default))!.Version;

    private ValueTask<Stream> DialAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref dialed);
        return DialedConnection.ToHostAsync(context, cancellationToken);
    }

    private IHostRegistry Noted(ConcurrentQueue<string> calls)
    {
        return Over(Over(store.Hosts, nameof(IHostRegistry.ClaimAsync)), nameof(IHostRegistry.FindAsync));

        IHostRegistry Over(IHostRegistry registry, string method) => HeldCalls.Over<IHostRegistry, HostLocation>(
            registry,
            method,
            _ =>
            {
                calls.Enqueue(method);
                return false;
            },
            out var _);
    }
}
