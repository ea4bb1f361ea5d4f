using System.Runtime.Versioning;
using Coordinator.Modules.Sandboxes;
using Coordinator.Modules.Sandboxes.Provisioning;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support.Network;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace Coordinator.Tests.Conformance.SandboxProvider;

/// <summary>The control plane's sweep, at work on a sandbox host through a network that may be faulty.</summary>
[SupportedOSPlatform("linux")]
public sealed class ModalSweepTests : IAsyncLifetime
{
    private readonly ModalRig rig = new();
    private FaultProxy? network;
    private OrphanSweep? sweep;

    public async Task InitializeAsync()
    {
        await rig.StartAsync();
        network = new(rig.Url);
        var provider = rig.Connect([("DestroySeconds", "3"), ("LookSeconds", "3")], network.Url);
        sweep = new(provider, new NoSessions(), new WordTokens(), Options.Create(new SandboxesOptions { Deployment = "here" }), TimeProvider.System, NullLogger<OrphanSweep>.Instance);
    }

    public async Task DisposeAsync()
    {
        sweep!.Dispose();
        await network!.DisposeAsync();
        await rig.DisposeAsync();
    }

    [Fact]
    public async Task A_box_of_no_known_session_ends_at_the_sandbox_host_with_its_data_kept_and_another_deployments_does_not()
    {
        var orphan = await rig.Provider.MakeAsync(Specs.New("here"));
        var other = await rig.Provider.MakeAsync(Specs.New("there"));

        Assert.Equal(1, await sweep!.SweepAsync(CancellationToken.None));

        Assert.Equal(SandboxStatus.Stopped, (await rig.Provider.InspectAsync(orphan, CancellationToken.None)).Status);
        Assert.Equal(SandboxStatus.Running, (await rig.Provider.InspectAsync(other, CancellationToken.None)).Status);
        Assert.Equal(0, await sweep.SweepAsync(CancellationToken.None));
    }

    [Fact]
    public async Task A_destroy_that_was_not_confirmed_is_tried_again_by_the_next_sweep()
    {
        var orphan = await rig.Provider.MakeAsync(Specs.New("here"));
        network!.Refuse();
        Assert.Equal(0, await sweep!.SweepAsync(CancellationToken.None));
        network.Heal();
        Assert.Equal(1, await sweep.SweepAsync(CancellationToken.None));
        Assert.Equal(SandboxStatus.Stopped, (await rig.Provider.InspectAsync(orphan, CancellationToken.None)).Status);
    }

    /// <summary>Knows of no session at all, as with an empty database.</summary>
    private sealed class NoSessions : ISessionHost
    {
        public ValueTask<Result<SessionReply>> CallAsync(SessionKey key, SessionCommand command, CancellationToken cancellationToken) => new(new Problem("session_not_found", "There is no such session.", ProblemKind.NotFound));

        public ValueTask<Result<ISessionSubscription>> SubscribeAsync(SessionKey key, SessionCursor? after, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<Result<IBridgeLink>> AttachBridgeAsync(SessionKey key, BoxCredential credential, BridgeHello hello, IBridgeSink sink, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ISessionHold? TryHold(SessionKey key) => throw new NotSupportedException();

        public ValueTask DrainAsync(CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
