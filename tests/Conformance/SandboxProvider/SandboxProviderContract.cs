using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Xunit;

namespace Coordinator.Tests.Conformance.SandboxProvider;

/// <summary>What <see cref="ISandboxProvider"/> promises, for every implementation of it.</summary>
public abstract class SandboxProviderContract : IAsyncLifetime
{
    private static readonly Dictionary<string, string> All = [];

    private protected abstract ISandboxRig Rig { get; }

    /// <summary>The provider can ask every machine that it has, so that one which is none of them is certainly gone.</summary>
    protected virtual bool KnowsItsMachines => false;

    private ISandboxProvider Provider => Rig.Provider;

    public virtual Task InitializeAsync() => Task.CompletedTask;

    public virtual async Task DisposeAsync() => await Rig.DisposeAsync();

    [Fact]
    public async Task A_created_box_runs_and_is_found_by_its_labels()
    {
        var spec = Specs.New();
        var handle = await CreateAsync(spec);
        Assert.Equal(Provider.Name, handle.Provider);
        Assert.Equal(SandboxStatus.Running, (await InspectAsync(handle)).Status);
        var listing = Assert.Single(await ListAsync(new() { [SandboxLabels.Sandbox] = spec.Sandbox.ToString() }));
        Assert.Equal(handle, listing.Handle);
        Assert.Equal(SandboxStatus.Running, listing.Status);
        Assert.Equal(spec.Labels, listing.Labels);
    }

    [Fact]
    public async Task A_second_create_finds_the_first_ones_box()
    {
        var spec = Specs.New();
        var first = await CreateAsync(spec);
        Assert.Equal(first, await CreateAsync(spec));
        Assert.Single(await ListAsync(All));
        Assert.Equal(1, await Rig.StartsOfAsync(spec));
    }

    [Fact]
    public async Task Creates_of_one_box_at_the_same_time_make_one_box()
    {
        var spec = Specs.New();
        var handles = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => CreateAsync(spec).AsTask()));
        Assert.Single(handles.Distinct());
        Assert.Single(await ListAsync(All));
        Assert.Equal(1, await Rig.StartsOfAsync(spec));
    }

    [Fact]
    public async Task A_create_after_the_box_has_ended_does_not_make_another()
    {
        var spec = Specs.New();
        var handle = await CreateAsync(spec);
        await Rig.EndFromInsideAsync(spec, exitCode: 3);
        Assert.Equal(handle, await CreateAsync(spec));
        Assert.Equal(SandboxStatus.Stopped, (await InspectAsync(handle)).Status);
        Assert.Equal(1, await Rig.StartsOfAsync(spec));
    }

    [Fact]
    public async Task A_box_that_ended_by_itself_is_stopped_and_says_how()
    {
        var spec = Specs.New();
        var handle = await CreateAsync(spec);
        await Rig.EndFromInsideAsync(spec, exitCode: 3);
        Assert.Equal(new(SandboxStatus.Stopped, "exit 3"), await InspectAsync(handle));
        Assert.Equal(SandboxStatus.Stopped, Assert.Single(await ListAsync(All)).Status);
    }

    [Fact]
    public async Task A_destroyed_box_is_not_found_and_neither_is_its_data()
    {
        var spec = Specs.New();
        var handle = await CreateAsync(spec);
        await Rig.WriteAsync(spec, "work", "forty minutes of it");
        await DestroyAsync(handle, keepData: false);
        Assert.Equal(SandboxStatus.NotFound, (await InspectAsync(handle)).Status);
        Assert.Empty(await ListAsync(All));
        Assert.Null(await Rig.ReadAsync(spec, "work"));
    }

    [Fact]
    public async Task To_destroy_an_absent_box_is_a_success()
    {
        var handle = await CreateAsync(Specs.New());
        await DestroyAsync(handle, keepData: false);
        await DestroyAsync(handle, keepData: false);
        await DestroyAsync(handle, keepData: true);
        Assert.Empty(await ListAsync(All));
    }

    [Fact]
    public async Task Kept_data_is_there_for_the_sessions_next_box()
    {
        var first = Specs.New();
        await CreateAsync(first);
        await Rig.WriteAsync(first, "work", "forty minutes of it");
        await DestroyAsync(await CreateAsync(first), keepData: true);
        var second = Specs.NextOf(first);
        await CreateAsync(second);
        Assert.Equal("forty minutes of it", await Rig.ReadAsync(second, "work"));
    }

    [Fact]
    public async Task A_box_destroyed_with_its_data_kept_is_listed_as_stopped_until_the_data_goes()
    {
        var handle = await CreateAsync(Specs.New());
        await DestroyAsync(handle, keepData: true);
        Assert.Equal(SandboxStatus.Stopped, Assert.Single(await ListAsync(All)).Status);
        Assert.Equal(SandboxStatus.Stopped, (await InspectAsync(handle)).Status);
        await DestroyAsync(handle, keepData: false);
        Assert.Empty(await ListAsync(All));
    }

    [Fact]
    public async Task Another_sessions_box_does_not_see_the_data()
    {
        var first = Specs.New();
        await CreateAsync(first);
        await Rig.WriteAsync(first, "work", "mine");
        var other = Specs.New();
        await CreateAsync(other);
        Assert.Null(await Rig.ReadAsync(other, "work"));
    }

    [Fact]
    public async Task A_newer_box_of_a_session_ends_the_older_one()
    {
        var first = Specs.New();
        var older = await CreateAsync(first);
        var newer = await CreateAsync(Specs.NextOf(first));
        Assert.NotEqual(SandboxStatus.Running, (await InspectAsync(older)).Status);
        Assert.Equal(SandboxStatus.Running, (await InspectAsync(newer)).Status);
        Assert.Single(await ListAsync(All));
    }

    [Fact]
    public async Task A_stale_create_is_rejected_while_a_newer_box_of_the_session_is_known()
    {
        var first = Specs.New();
        var newer = await CreateAsync(Specs.NextOf(first));
        var failure = await Assert.ThrowsAsync<PortException>(async () => await CreateAsync(first));
        Assert.Equal(PortFailureKind.Rejected, failure.Kind);
        Assert.Equal(SandboxStatus.Running, (await InspectAsync(newer)).Status);
    }

    [Fact]
    public async Task To_destroy_an_older_box_late_does_not_take_the_newer_ones_data()
    {
        var first = Specs.New();
        var older = await CreateAsync(first);
        var second = Specs.NextOf(first);
        await CreateAsync(second);
        await Rig.WriteAsync(second, "work", "newer");
        await DestroyAsync(older, keepData: false);
        Assert.Equal("newer", await Rig.ReadAsync(second, "work"));
    }

    [Fact]
    public async Task A_listing_holds_only_boxes_with_all_of_the_labels()
    {
        var (mine, theirs) = (Specs.New("mine"), Specs.New("theirs"));
        await CreateAsync(mine);
        await CreateAsync(theirs);
        Assert.Equal(2, (await ListAsync(All)).Count);
        Assert.Equal(mine.Labels, Assert.Single(await ListAsync(new() { [SandboxLabels.Deployment] = "mine" })).Labels);
        Assert.Empty(await ListAsync(new() { [SandboxLabels.Deployment] = "mine", [SandboxLabels.Session] = theirs.Session.ToString() }));
    }

    [Fact]
    public async Task A_box_of_another_machine_is_unreachable_and_never_not_found()
    {
        var handle = await CreateAsync(Specs.New()) with { Node = "some-other-machine" };
        Assert.Equal(SandboxStatus.Unreachable, (await InspectAsync(handle)).Status);
        var failure = await Record.ExceptionAsync(async () => await DestroyAsync(handle, keepData: false));
        Assert.Equal(KnowsItsMachines ? null : PortFailureKind.Unavailable, (failure as PortException)?.Kind);
        Assert.Equal(KnowsItsMachines, failure is null);
        Assert.Single(await ListAsync(All));
    }

    [Fact]
    public async Task To_place_a_box_makes_none_and_it_is_made_where_it_was_placed()
    {
        var spec = Specs.New();
        var node = await Provider.PlaceAsync(spec, CancellationToken.None);
        Assert.Empty(await ListAsync(All));
        var handle = await Provider.CreateAsync(spec with { Node = node }, CancellationToken.None);
        Assert.Equal(node ?? handle.Node, handle.Node);
    }

    [Fact]
    public async Task A_box_that_was_placed_elsewhere_is_not_made_here()
    {
        var failure = await Assert.ThrowsAsync<PortException>(async () => await Provider.CreateAsync(Specs.New() with { Node = "some-other-machine" }, CancellationToken.None));
        Assert.Contains(failure.Kind, new[] { PortFailureKind.Unavailable, PortFailureKind.Rejected });
        Assert.Contains("some-other-machine", failure.Message, StringComparison.Ordinal);
        Assert.False(failure.EffectMayHaveHappened);
        Assert.Empty(await ListAsync(All));
    }

    [Fact]
    public async Task What_is_required_and_lacks_is_named_and_nothing_is_made()
    {
        await ListAsync(All);
        var lacking = SandboxCapabilities.Names.Except(Provider.Capabilities!.Held).First();
        var failure = await Assert.ThrowsAsync<PortException>(async () => await CreateAsync(Specs.New() with { Requires = SandboxCapabilities.Of([nameof(SandboxCapabilities.KeepsData), lacking]) }));
        Assert.Equal((PortFailureKind.Incapable, false), (failure.Kind, failure.EffectMayHaveHappened));
        Assert.Contains(lacking, failure.Message, StringComparison.Ordinal);
        Assert.Empty(await ListAsync(All));
    }

    [Fact]
    public async Task What_is_required_and_there_does_not_keep_a_box_from_being_made()
    {
        var requires = SandboxCapabilities.Of([nameof(SandboxCapabilities.KeepsData)]);
        Assert.Equal(SandboxStatus.Running, (await InspectAsync(await CreateAsync(Specs.New() with { Requires = requires }))).Status);
    }

    private protected ValueTask<SandboxHandle> CreateAsync(SandboxSpec spec) => Provider.MakeAsync(spec);

    private protected ValueTask<SandboxInspection> InspectAsync(SandboxHandle handle) => Provider.InspectAsync(handle, CancellationToken.None);

    private protected ValueTask DestroyAsync(SandboxHandle handle, bool keepData) => Provider.DestroyAsync(handle, keepData, CancellationToken.None);

    private protected async ValueTask<IReadOnlyList<SandboxListing>> ListAsync(Dictionary<string, string> labels)
    {
        List<SandboxListing> listings = [];
        await foreach (var listing in Provider.ListAsync(labels, CancellationToken.None)) listings.Add(listing);
        return listings;
    }
}

/// <summary>What the contract needs of an implementation beyond its port: a hand inside the boxes.</summary>
internal interface ISandboxRig : IAsyncDisposable
{
    ISandboxProvider Provider { get; }

    /// <summary>How many times the program of this box was started.</summary>
    ValueTask<int> StartsOfAsync(SandboxSpec spec);

    /// <summary>Lets the program in the box end, and returns when the box has ended.</summary>
    ValueTask EndFromInsideAsync(SandboxSpec spec, int exitCode);

    /// <summary>Writes a file of the workspace from inside the box.</summary>
    ValueTask WriteAsync(SandboxSpec spec, string file, string text);

    /// <summary>A file of the workspace; null when it is not there.</summary>
    ValueTask<string?> ReadAsync(SandboxSpec spec, string file);
}
