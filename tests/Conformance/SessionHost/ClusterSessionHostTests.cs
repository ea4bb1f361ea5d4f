using Coordinator.Adapters.InProcess.Cluster;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionHost;

/// <summary>A cluster of one.</summary>
public sealed class ClusterOfOneTests : SessionHostContract
{
    protected override SessionHostHarness CreateHarness() => new ClusterHarness(others: 0);
}

/// <summary>Everything is asked of a host that has not the session: another has, over real sockets.</summary>
public sealed class ClusterSessionHostTests : SessionHostContract
{
    protected override SessionHostHarness CreateHarness() => new ClusterHarness(others: 1);
}

/// <summary>Hosts of one store. What a test asks is asked of the first; sessions are the last one's.</summary>
internal sealed class ClusterHarness(int others) : SessionHostHarness
{
    private readonly ClusterStore store = new();
    private readonly List<ClusterNode> nodes = [];
    private ISessionHost? host;

    public override ISessionHost Host => host ??= StartAsync().GetAwaiter().GetResult();

    public override async ValueTask DisposeAsync()
    {
        foreach (var node in nodes) await node.DisposeAsync();
    }

    private async Task<ISessionHost> StartAsync()
    {
        for (var i = 0; i <= others; i++) nodes.Add(await ClusterNode.StartAsync(store, Effects));
        return others == 0 ? nodes[0].Host : new AskedElsewhere(nodes[0].Host, nodes[^1], store);
    }

    /// <summary>Sees to it that a session is the other host's before it is asked for here.</summary>
    private sealed class AskedElsewhere(ClusterSessionHost asked, ClusterNode owner, ClusterStore store) : ISessionHost
    {
        public async ValueTask<Result<SessionReply>> CallAsync(SessionKey key, SessionCommand command, CancellationToken cancellationToken)
        {
            if (command is SessionCommand.Create) return await owner.Host.CallAsync(key, command, cancellationToken);
            await AwayAsync(key, cancellationToken);
            return await asked.CallAsync(key, command, cancellationToken);
        }

        public async ValueTask<Result<ISessionSubscription>> SubscribeAsync(SessionKey key, SessionCursor? after, CancellationToken cancellationToken)
        {
            await AwayAsync(key, cancellationToken);
            return await asked.SubscribeAsync(key, after, cancellationToken);
        }

        public async ValueTask<Result<IBridgeLink>> AttachBridgeAsync(SessionKey key, BoxCredential credential, BridgeHello hello, IBridgeSink sink, CancellationToken cancellationToken)
        {
            await AwayAsync(key, cancellationToken);
            return await asked.AttachBridgeAsync(key, credential, hello, sink, cancellationToken);
        }

        public ISessionHold? TryHold(SessionKey key) => asked.TryHold(key);

        public ValueTask DrainAsync(CancellationToken cancellationToken) => asked.DrainAsync(cancellationToken);

        private async Task AwayAsync(SessionKey key, CancellationToken cancellationToken)
        {
            var named = await store.Hosts.ClaimAsync(key, owner.Member.Registration, cancellationToken);
            Assert.Equal(owner.Member.Location, named);
        }
    }
}
