using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text;
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
    public async Task A_box_that_no_session_wants_is_destroyed_at_the_sandbox_host_and_another_deployments_is_not()
    {
        var orphan = await rig.Provider.MakeAsync(Specs.New("here"));
        var other = await rig.Provider.MakeAsync(Specs.New("there"));

        Assert.Equal(1, await sweep!.SweepAsync(CancellationToken.None));

        Assert.Equal(SandboxStatus.NotFound, (await rig.Provider.InspectAsync(orphan, CancellationToken.None)).Status);
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
        Assert.Equal(SandboxStatus.NotFound, (await rig.Provider.InspectAsync(orphan, CancellationToken.None)).Status);
    }

    /// <summary>Knows of no session at all, as after a restore of an old database.</summary>
    private sealed class NoSessions : ISessionHost
    {
        public ValueTask<Result<SessionReply>> CallAsync(SessionKey key, SessionCommand command, CancellationToken cancellationToken) => new(new Problem("session_not_found", "There is no such session.", ProblemKind.NotFound));

        public ValueTask<Result<ISessionSubscription>> SubscribeAsync(SessionKey key, SessionCursor? after, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<Result<IBridgeLink>> AttachBridgeAsync(SessionKey key, BoxCredential credential, BridgeHello hello, IBridgeSink sink, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask DrainAsync(CancellationToken cancellationToken) => throw new NotSupportedException();
    }

    /// <summary>Tokens whose secret is a word.</summary>
    private sealed class WordTokens : IBoxTokenScheme
    {
        public string TokenFor(SessionKey key, SandboxId sandbox, int generation) => $"sb_{key.Organization}.{key.Session}.{sandbox}.{generation}.word";

        public byte[] HashFor(SessionKey key, SandboxId sandbox, int generation) => SHA256.HashData(Encoding.UTF8.GetBytes(TokenFor(key, sandbox, generation)));
    }
}
