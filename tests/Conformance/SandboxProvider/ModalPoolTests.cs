using System.Runtime.Versioning;
using Coordinator.Modules.Sandboxes;
using Coordinator.Modules.Sandboxes.Provisioning;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support.Network;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace Coordinator.Tests.Conformance.SandboxProvider;

/// <summary>Two sandbox hosts, each with boxes and data of its own, and one control plane.</summary>
[SupportedOSPlatform("linux")]
public sealed class ModalPoolTests : IAsyncLifetime
{
    private readonly ModalRig first = new();
    private readonly ModalRig second = new();
    private ISandboxProvider? pool;

    private ISandboxProvider Pool => pool!;

    public async Task InitializeAsync()
    {
        await first.StartAsync();
        await second.StartAsync();
        pool = Connect();
    }

    public async Task DisposeAsync()
    {
        await first.DisposeAsync();
        await second.DisposeAsync();
    }

    [Fact]
    public async Task New_sessions_boxes_go_where_most_room_is()
    {
        var nodes = new[] { await NodeOfAsync(Specs.New()), await NodeOfAsync(Specs.New()), await NodeOfAsync(Specs.New()), await NodeOfAsync(Specs.New()) };

        Assert.Equal([2, 2], nodes.GroupBy(node => node).Select(node => node.Count()));
    }

    [Fact]
    public async Task A_full_node_is_passed_over()
    {
        await first.StopHostAsync();
        await first.StartHostAsync(("Sandbox:Local:MaxBoxes", "1"));
        await second.StopHostAsync();
        await second.StartHostAsync(("Sandbox:Local:MaxBoxes", "1"));
        await NodeOfAsync(Specs.New());
        await NodeOfAsync(Specs.New());

        var failure = await Assert.ThrowsAsync<PortException>(async () => await NodeOfAsync(Specs.New()));

        Assert.Equal((PortFailureKind.Full, false), (failure.Kind, failure.EffectMayHaveHappened));
        Assert.Equal(2, (await ListAsync()).Count);
    }

    [Fact]
    public async Task An_agent_that_no_node_has_is_refused_with_what_there_is()
    {
        var failure = await Assert.ThrowsAsync<PortException>(async () => await CreateAsync(Specs.New() with { Agent = "another" }));

        Assert.Equal(PortFailureKind.Rejected, failure.Kind);
        Assert.Contains($"{NodeOf(first)} has {Specs.Agent}", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_stays_where_its_data_is_in_another_process_too()
    {
        var spec = Specs.New();
        var home = await NodeOfAsync(spec);
        for (var i = 0; i < 3; i++) await CreateElsewhereAsync(home);

        Assert.Equal(home, (await Connect().MakeAsync(Specs.NextOf(spec))).Node);
    }

    [Fact]
    public async Task A_dead_nodes_boxes_are_unreachable_and_the_living_ones_are_listed_and_swept()
    {
        var handles = new[] { await CreateAsync(Specs.New()), await CreateAsync(Specs.New()) };
        var dead = Assert.Single(handles, handle => handle.Node == NodeOf(first));
        var living = Assert.Single(handles, handle => handle.Node == NodeOf(second));
        await first.StopHostAsync();

        foreach (var provider in new[] { Pool, Connect() })
        {
            Assert.Equal(SandboxStatus.Unreachable, (await provider.InspectAsync(dead, CancellationToken.None)).Status);
            Assert.Equal(SandboxStatus.Running, (await provider.InspectAsync(living, CancellationToken.None)).Status);
            List<SandboxHandle> listed = [];
            var failure = await Assert.ThrowsAsync<PortException>(async () =>
            {
                await foreach (var listing in provider.ListAsync(new Dictionary<string, string>(), CancellationToken.None)) listed.Add(listing.Handle);
            });
            Assert.Equal(PortFailureKind.Unavailable, failure.Kind);
            Assert.Equal([living], listed);
        }
    }

    [Fact]
    public async Task While_a_node_is_dead_first_boxes_are_made_elsewhere_and_later_ones_wait_for_their_data()
    {
        var spec = Specs.New();
        while (await NodeOfAsync(spec) != NodeOf(first)) spec = Specs.New();
        await first.StopHostAsync();
        var provider = Connect();

        Assert.Equal(NodeOf(second), (await provider.MakeAsync(Specs.New())).Node);
        var failure = await Assert.ThrowsAsync<PortException>(async () => await provider.MakeAsync(Specs.NextOf(spec)));
        Assert.Equal(PortFailureKind.Unavailable, failure.Kind);
        Assert.Contains("The session's workspace may be there", failure.Message, StringComparison.Ordinal);

        await first.StartHostAsync();
        Assert.Equal(NodeOf(first), (await provider.MakeAsync(Specs.NextOf(spec))).Node);
    }

    [Fact]
    public async Task An_address_where_other_data_answers_by_now_is_another_node()
    {
        var handle = await CreateAsync(Specs.New());
        var (gone, other) = handle.Node == NodeOf(first) ? (first, second) : (second, first);
        await gone.StopHostAsync();
        await using var imposter = new ModalRig();
        await imposter.StartAsync(gone.Url);

        Assert.Equal(SandboxStatus.Unreachable, (await Pool.InspectAsync(handle, CancellationToken.None)).Status);
        Assert.NotEqual(NodeOf(other), handle.Node);

        // Every data plane answers, and none is the one that had the box: there is nobody left to end it at.
        await Pool.DestroyAsync(handle, keepData: false, CancellationToken.None);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_session_whose_node_was_taken_out_of_the_pool_is_rid_of_its_box_and_has_its_next_one_elsewhere(bool keepData)
    {
        var spec = Specs.New();
        var lost = await second.Connect(second.Url).MakeAsync(spec);
        var left = first.Connect(first.Url);
        var effects = new SandboxEffects(left, new WordTokens(), Options.Create(new SandboxesOptions()), TimeProvider.System, NullLogger<SandboxEffects>.Instance);

        var destroy = new SessionEffect.DestroySandbox(spec.Sandbox, spec.Generation, lost, keepData);
        Assert.IsType<EffectOutcome.Succeeded>(await effects.RunAsync(new(spec.Organization, spec.Session), destroy, CancellationToken.None));

        Assert.Equal(NodeOf(first), (await left.MakeAsync(Specs.NextOf(spec) with { Home = lost.Node })).Node);
    }

    [Fact]
    public async Task A_box_of_a_node_that_is_merely_silent_is_not_given_up()
    {
        var handle = await second.Connect(second.Url).MakeAsync(Specs.New());
        await second.StopHostAsync();
        foreach (var provider in new[] { Pool, Connect() })
            Assert.Equal(PortFailureKind.Unavailable, (await Assert.ThrowsAsync<PortException>(async () => await provider.DestroyAsync(handle, keepData: true, CancellationToken.None))).Kind);

        await second.StartHostAsync();
        Assert.Equal(SandboxStatus.Running, (await Pool.InspectAsync(handle, CancellationToken.None)).Status);
    }

    [Fact]
    public async Task A_node_that_fell_silent_in_a_create_and_refuses_the_next_still_holds_the_box()
    {
        FaultProxy? network = null;
        var fell = false;
        await using var crashing = new ModalRig(services => services.Replace(services.Single(service => service.ServiceType == typeof(ISandboxProvider)) is { } inner
            ? ServiceDescriptor.Singleton<ISandboxProvider>(from => new AfterCreate((ISandboxProvider)(inner.ImplementationFactory?.Invoke(from) ?? ActivatorUtilities.CreateInstance(from, inner.ImplementationType!)), () =>
            {
                if (fell) return;
                fell = true;
                network!.Refuse();
                network.Cut();
            }))
            : throw new InvalidOperationException()));
        await crashing.StartAsync();
        network = new FaultProxy(crashing.Url);
        await using var closing = network;
        for (var i = 0; i < 2; i++) await second.Connect(second.Url).MakeAsync(Specs.New());
        var provider = crashing.Connect([("CreateSeconds", "20")], network.Url, second.Url);
        var spec = Specs.New();

        spec = spec with { Node = await provider.PlaceAsync(spec, CancellationToken.None) };
        Assert.True((await Assert.ThrowsAsync<PortException>(async () => await provider.MakeAsync(spec))).EffectMayHaveHappened);

        // Another process of the control plane knows no more than what was written down.
        var next = crashing.Connect([("CreateSeconds", "20")], network.Url, second.Url);
        for (var i = 0; i < 2; i++)
        {
            var failure = await Assert.ThrowsAsync<PortException>(async () => await next.MakeAsync(spec));
            Assert.Equal((PortFailureKind.Unavailable, true), (failure.Kind, failure.Message.Contains($"made on {spec.Node} or nowhere", StringComparison.Ordinal)));
        }

        network.Heal();
        await crashing.StopHostAsync();
        await crashing.StartHostAsync();
        Assert.Equal(spec.Node, (await next.MakeAsync(spec)).Node);
        Assert.Equal(1, await crashing.StartsOfAsync(spec));
    }

    [Fact]
    public async Task A_node_that_lacks_what_is_required_gets_no_box_though_it_has_most_room()
    {
        var requiring = SandboxCapabilities.Of([nameof(SandboxCapabilities.EnforcesEgress)]);
        await second.StopHostAsync();
        await second.StartHostAsync(("Sandbox:Local:AllowUnisolated", "true"), ("Sandbox:Local:MaxBoxes", "500"));
        var provider = Connect();
        for (var i = 0; i < 3; i++) Assert.Equal(NodeOf(first), (await provider.MakeAsync(Specs.New() with { Requires = requiring })).Node);
        Assert.Equal(NodeOf(second), (await provider.MakeAsync(Specs.New())).Node);

        var told = await Assert.ThrowsAsync<PortException>(async () => await provider.MakeAsync(Specs.New() with { Requires = requiring, Node = NodeOf(second) }));
        Assert.Equal(PortFailureKind.Incapable, told.Kind);
        await first.StopHostAsync();
        await first.StartHostAsync(("Sandbox:Local:AllowUnisolated", "true"));
        var none = await Assert.ThrowsAsync<PortException>(async () => await Connect().MakeAsync(Specs.New() with { Requires = requiring }));
        Assert.Equal(PortFailureKind.Incapable, none.Kind);
        Assert.Contains($"{NodeOf(first)} at {first.Url.Authority} lacks EnforcesEgress; the data plane {NodeOf(second)} at {second.Url.Authority} lacks EnforcesEgress", none.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_whose_workspace_is_on_a_living_node_does_not_wait_for_a_dead_one()
    {
        var spec = Specs.New();
        while (await NodeOfAsync(spec) != NodeOf(second)) spec = Specs.New();
        await first.StopHostAsync();

        Assert.Equal(NodeOf(second), (await Connect().MakeAsync(Specs.NextOf(spec) with { Home = NodeOf(second) })).Node);
        var failure = await Assert.ThrowsAsync<PortException>(async () => await Connect().MakeAsync(Specs.NextOf(Specs.New()) with { Home = NodeOf(first) }));
        Assert.Contains($"The session's workspace is on {NodeOf(first)}, which does not answer.", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_box_placed_on_a_node_that_was_taken_out_of_the_pool_is_refused_and_not_waited_for()
    {
        var spec = Specs.New() with { Node = NodeOf(second) };
        var failure = await Assert.ThrowsAsync<PortException>(async () => await first.Connect(first.Url).MakeAsync(spec));
        Assert.Equal((PortFailureKind.Rejected, false), (failure.Kind, failure.EffectMayHaveHappened));
        Assert.Contains($"{NodeOf(second)}, which is none of the data planes any more", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_two_that_call_themselves_the_same_neither_is_asked_for_anything_until_one_is_another()
    {
        var handle = await first.Connect(first.Url).MakeAsync(Specs.New());
        await second.StopHostAsync();
        await second.StartHostAsync(("Sandbox:Local:Node", NodeOf(first)));

        var provider = Connect();
        var seen = await provider.InspectAsync(handle, CancellationToken.None);
        Assert.Equal(SandboxStatus.Unreachable, seen.Status);
        Assert.Contains($"all call themselves {NodeOf(first)}", seen.Detail, StringComparison.Ordinal);
        Assert.Contains(second.Url.Authority, seen.Detail, StringComparison.Ordinal);
        Assert.Equal(PortFailureKind.Unavailable, (await Assert.ThrowsAsync<PortException>(async () => await provider.DestroyAsync(handle, keepData: false, CancellationToken.None))).Kind);
        var refused = await Assert.ThrowsAsync<PortException>(async () => await provider.MakeAsync(Specs.New()));
        Assert.Equal((PortFailureKind.Unavailable, false), (refused.Kind, refused.EffectMayHaveHappened));
        await Assert.ThrowsAsync<PortException>(async () =>
        {
            await foreach (var listing in provider.ListAsync(new Dictionary<string, string>(), CancellationToken.None)) Assert.Fail($"{listing.Handle} was listed.");
        });

        await second.StopHostAsync();
        await second.StartHostAsync();
        Assert.Equal(SandboxStatus.Running, (await provider.InspectAsync(handle, CancellationToken.None)).Status);
    }

    private sealed class AfterCreate(ISandboxProvider inner, Action then) : ISandboxProvider
    {
        public string Name => inner.Name;

        public SandboxCapabilities? Capabilities => inner.Capabilities;

        public ValueTask<string?> PlaceAsync(SandboxSpec spec, CancellationToken cancellationToken) => inner.PlaceAsync(spec, cancellationToken);

        public async ValueTask<SandboxHandle> CreateAsync(SandboxSpec spec, CancellationToken cancellationToken)
        {
            var handle = await inner.CreateAsync(spec, cancellationToken);
            then();
            return handle;
        }

        public ValueTask<SandboxInspection> InspectAsync(SandboxHandle handle, CancellationToken cancellationToken) => inner.InspectAsync(handle, cancellationToken);

        public IAsyncEnumerable<SandboxListing> ListAsync(IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken) => inner.ListAsync(labels, cancellationToken);

        public ValueTask DestroyAsync(SandboxHandle handle, bool keepData, CancellationToken cancellationToken) => inner.DestroyAsync(handle, keepData, cancellationToken);
    }

    private static string NodeOf(ModalRig rig) => File.ReadAllText(Path.Combine(rig.HostDirectory, "node"));

    private ISandboxProvider Connect() => first.Connect(first.Url, second.Url);

    private ValueTask<SandboxHandle> CreateAsync(SandboxSpec spec) => Pool.MakeAsync(spec);

    private async Task<string> NodeOfAsync(SandboxSpec spec) => (await CreateAsync(spec)).Node!;

    private async Task CreateElsewhereAsync(string node) => await (node == NodeOf(first) ? first : second).Connect((node == NodeOf(first) ? first : second).Url).MakeAsync(Specs.New());

    private async Task<IReadOnlyList<SandboxListing>> ListAsync()
    {
        List<SandboxListing> found = [];
        await foreach (var listing in Pool.ListAsync(new Dictionary<string, string>(), CancellationToken.None)) found.Add(listing);
        return found;
    }
}
