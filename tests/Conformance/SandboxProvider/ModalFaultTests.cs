using System.Runtime.Versioning;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Tests.Support.Network;
using Xunit;

namespace Coordinator.Tests.Conformance.SandboxProvider;

/// <summary>What the network between a control plane and a sandbox host does to creates, looks and destroys.</summary>
[SupportedOSPlatform("linux")]
public sealed class ModalFaultTests : IAsyncLifetime
{
    private readonly ModalRig rig = new();
    private FaultProxy? network;

    private FaultProxy Network => network!;

    public async Task InitializeAsync()
    {
        await rig.StartAsync();
        network = new(rig.Url);
        rig.Connect([("CreateSeconds", "3"), ("LookSeconds", "3"), ("DestroySeconds", "3")], network.Url);
        await ListAsync();
    }

    public async Task DisposeAsync()
    {
        if (network is not null) await network.DisposeAsync();
        await rig.DisposeAsync();
    }

    [Fact]
    public async Task A_create_whose_answer_is_lost_every_time_is_in_doubt_and_the_next_try_meets_the_one_box()
    {
        var spec = Specs.New();
        Network.CutAfter(0, Direction.ToClient);

        var failure = await Assert.ThrowsAsync<PortException>(async () => await CreateAsync(spec));
        Assert.True(failure.EffectMayHaveHappened);
        Assert.Contains(failure.Kind, new[] { PortFailureKind.Unavailable, PortFailureKind.Timeout });

        Network.Heal();
        var handle = await CreateAsync(spec);
        Assert.Equal(handle, Assert.Single(await ListAsync()).Handle);
        Assert.Equal(1, await rig.StartsOfAsync(spec));
    }

    [Fact]
    public async Task Another_control_plane_process_meets_the_box_of_a_create_whose_answer_was_lost()
    {
        var spec = Specs.New();
        Network.CutAfter(0, Direction.ToClient);
        await Assert.ThrowsAsync<PortException>(async () => await CreateAsync(spec));
        await rig.StopHostAsync();
        await rig.StartHostAsync();

        rig.Connect(rig.Url);
        await CreateAsync(spec);
        Assert.Single(await ListAsync());
        Assert.Equal(1, await rig.StartsOfAsync(spec));
    }

    [Fact]
    public async Task A_sandbox_host_that_cannot_be_reached_leaves_nothing_in_doubt_and_its_boxes_are_unreachable()
    {
        var handle = await CreateAsync(Specs.New());
        Network.Refuse();

        var failure = await Assert.ThrowsAsync<PortException>(async () => await CreateAsync(Specs.New()));
        Assert.Equal(PortFailureKind.Unavailable, failure.Kind);
        Assert.Equal(SandboxStatus.Unreachable, (await rig.Provider.InspectAsync(handle, CancellationToken.None)).Status);
        Assert.Equal(PortFailureKind.Unavailable, (await Assert.ThrowsAsync<PortException>(async () => await ListAsync())).Kind);
        Assert.Equal(PortFailureKind.Unavailable, (await Assert.ThrowsAsync<PortException>(async () => await rig.Provider.DestroyAsync(handle, keepData: false, CancellationToken.None))).Kind);

        Network.Heal();
        await rig.Provider.DestroyAsync(handle, keepData: false, CancellationToken.None);
        Assert.Empty(await ListAsync());
    }

    [Fact]
    public async Task A_destroy_whose_answer_is_lost_is_in_doubt_and_succeeds_when_it_is_tried_again()
    {
        var handle = await CreateAsync(Specs.New());
        Network.CutAfter(0, Direction.ToClient);
        var failure = await Assert.ThrowsAsync<PortException>(async () => await rig.Provider.DestroyAsync(handle, keepData: false, CancellationToken.None));
        Assert.True(failure.EffectMayHaveHappened);

        Network.Heal();
        await rig.Provider.DestroyAsync(handle, keepData: false, CancellationToken.None);
        Assert.Empty(await ListAsync());
    }

    [Fact]
    public async Task A_sandbox_host_that_falls_silent_is_given_up_in_time()
    {
        var handle = await CreateAsync(Specs.New());
        Network.BlackHole(Direction.ToClient);

        var failure = await Assert.ThrowsAsync<PortException>(async () => await CreateAsync(Specs.New()));
        Assert.Equal((PortFailureKind.Timeout, true), (failure.Kind, failure.EffectMayHaveHappened));
        Assert.Equal(SandboxStatus.Unreachable, (await rig.Provider.InspectAsync(handle, CancellationToken.None)).Status);
    }

    [Fact]
    public async Task A_slow_network_only_takes_longer()
    {
        Network.Delay(TimeSpan.FromMilliseconds(150));
        var handle = await CreateAsync(Specs.New());
        Assert.Equal(SandboxStatus.Running, (await rig.Provider.InspectAsync(handle, CancellationToken.None)).Status);
    }

    [Fact]
    public async Task An_answer_whose_bytes_flipped_is_no_answer_and_never_not_found()
    {
        var handle = await CreateAsync(Specs.New());
        Network.Corrupt(Direction.ToClient);
        try
        {
            Assert.Equal(SandboxStatus.Unreachable, (await rig.Provider.InspectAsync(handle, CancellationToken.None)).Status);
        }
        catch (PortException failure)
        {
            Assert.Equal(PortFailureKind.Corrupt, failure.Kind);
        }
    }

    [Fact]
    public async Task A_request_whose_bytes_flipped_is_refused_and_does_nothing()
    {
        await CreateAsync(Specs.New());
        Network.Corrupt(Direction.ToServer);
        await Assert.ThrowsAsync<PortException>(async () => await CreateAsync(Specs.New()));
        Network.Heal();
        Assert.Single(await ListAsync());
    }

    private ValueTask<SandboxHandle> CreateAsync(SandboxSpec spec) => rig.Provider.MakeAsync(spec);

    private async Task<IReadOnlyList<SandboxListing>> ListAsync()
    {
        List<SandboxListing> found = [];
        await foreach (var listing in rig.Provider.ListAsync(new Dictionary<string, string>(), CancellationToken.None)) found.Add(listing);
        return found;
    }
}
