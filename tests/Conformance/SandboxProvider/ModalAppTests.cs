using System.Runtime.Versioning;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Xunit;

namespace Coordinator.Tests.Conformance.SandboxProvider;

/// <summary>
/// The Modal app's signature and routes in Python, over a backend in memory, spoken with by the real adapter; and the app's own
/// checks. <see cref="ModalAppContractTests"/> has the backend that is deployed.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class ModalAppTests : IAsyncLifetime
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    private readonly ModalAppPeer peer = new("data_plane.memory");

    private ISandboxProvider Provider => peer.Provider;

    public Task InitializeAsync() => peer.StartAsync();

    public async Task DisposeAsync() => await peer.DisposeAsync();

    [Fact]
    public async Task Its_self_checks_hold()
    {
        using var checks = ModalAppPeer.Python("-m", "unittest");
        var said = await checks.StandardError.ReadToEndAsync().WaitAsync(Bound);
        await checks.WaitForExitAsync().WaitAsync(Bound);
        Assert.True(checks.ExitCode == 0, said);
        Assert.Matches("Ran [1-9][0-9]* tests", said);
    }

    [Fact]
    public async Task The_adapter_makes_finds_lists_and_ends_its_boxes()
    {
        var (mine, theirs) = (Specs.New("mine"), Specs.New("theirs"));
        var handle = await Provider.MakeAsync(mine);
        Assert.Equal(handle, await Provider.MakeAsync(mine));
        await Provider.MakeAsync(theirs);

        Assert.Equal(new("modal", handle.Id, "scripted"), handle);
        Assert.Equal(SandboxStatus.Running, (await Provider.InspectAsync(handle, CancellationToken.None)).Status);
        var listing = Assert.Single(await ListAsync("mine"));
        Assert.Equal((handle, SandboxStatus.Running), (listing.Handle, listing.Status));
        Assert.Equal(mine.Labels, listing.Labels);

        await Provider.DestroyAsync(handle, keepData: true, CancellationToken.None);
        Assert.Equal(new(SandboxStatus.Stopped, "destroyed"), await Provider.InspectAsync(handle, CancellationToken.None));
        await Provider.DestroyAsync(handle, keepData: false, CancellationToken.None);
        await Provider.DestroyAsync(handle, keepData: false, CancellationToken.None);
        Assert.Equal(SandboxStatus.NotFound, (await Provider.InspectAsync(handle, CancellationToken.None)).Status);
        Assert.Empty(await ListAsync("mine"));
    }

    [Fact]
    public async Task Its_refusals_are_the_ports_failures()
    {
        var spec = Specs.New();
        await Provider.DestroyAsync(await Provider.MakeAsync(spec), keepData: false, CancellationToken.None);
        Assert.Equal(PortFailureKind.Rejected, (await FailsAsync(spec)).Kind);
        for (var i = 0; i < 8; i++) await Provider.MakeAsync(Specs.New());
        Assert.Equal(PortFailureKind.Full, (await FailsAsync(Specs.New())).Kind);
        Assert.True(Provider.Capabilities!.KeepsData);
        Assert.False(Provider.Capabilities.EnforcesEgress);
    }

    private async Task<PortException> FailsAsync(SandboxSpec spec) => await Assert.ThrowsAsync<PortException>(async () => await Provider.MakeAsync(spec));

    private async Task<IReadOnlyList<SandboxListing>> ListAsync(string deployment)
    {
        List<SandboxListing> found = [];
        await foreach (var listing in Provider.ListAsync(new Dictionary<string, string> { [SandboxLabels.Deployment] = deployment }, CancellationToken.None)) found.Add(listing);
        return found;
    }
}
