using System.Runtime.Versioning;
using Coordinator.Adapters.LocalSandbox;
using Coordinator.Adapters.LocalSandbox.Linux;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Xunit;

namespace Coordinator.Tests.Conformance.SandboxProvider;

/// <summary>What a box cannot take from its machine, and how completely it ends, with control groups and without.</summary>
[SupportedOSPlatform("linux")]
public sealed class LocalLimitTests
{
    private const int Megabyte = 1024 * 1024;

    [Theory]
    [InlineData("WherePossible")]
    [InlineData("Off")]
    public async Task A_fork_bomb_is_bounded_and_ends_with_its_box(string cgroups)
    {
        await using var rig = new LocalRig(("Cgroups", cgroups));
        var spec = Specs.New() with { Resources = SandboxResources.Default with { Processes = 64 } };
        var handle = await rig.Provider.MakeAsync(spec);
        await rig.ReplaceProgramAsync(spec, "perl -e 'for (;;) { defined(fork) or select(undef, undef, undef, 0.2) }' & exec sleep 1000");
        var main = rig.RecordOf(spec).Main!.Pid;
        await LocalRig.WaitUntilAsync("the bomb to reach its bound", () => ProcessTable.Tree(main, ProcessTable.All()).Count >= 50);
        for (var look = 0; look < 20; look++) Assert.InRange(ProcessTable.Tree(main, ProcessTable.All()).Count(process => process.IsAlive), 1, 70);
        await rig.Provider.DestroyAsync(handle, keepData: false, CancellationToken.None);
        Assert.DoesNotContain(ProcessTable.Tree(main, ProcessTable.All()), process => process.IsAlive);
    }

    [Theory]
    [InlineData("WherePossible")]
    [InlineData("Off")]
    public async Task A_box_that_takes_too_much_memory_is_killed_and_says_so(string cgroups)
    {
        await using var rig = new LocalRig(("Cgroups", cgroups));
        var spec = Specs.New() with { Resources = SandboxResources.Default with { MemoryBytes = 96 * Megabyte } };
        var handle = await rig.Provider.MakeAsync(spec);
        await rig.ReplaceProgramAsync(spec, "head -c 300000000 /dev/zero | tail -c 300000000 >/dev/null & exec perl -e '$x .= \"x\" x 1048576 while length $x < 300000000; sleep 100'");
        var watch = rig.Services.GetServices<IHostedService>().OfType<BoxWatch>().Single();
        await LocalRig.WaitForAsync<object>("the end of the box", async () =>
        {
            await watch.LookAsync(CancellationToken.None);
            return (await rig.Provider.InspectAsync(handle, CancellationToken.None)).Status == SandboxStatus.Stopped ? handle : null;
        });
        Assert.Equal(new(SandboxStatus.Stopped, "out_of_memory"), await rig.Provider.InspectAsync(handle, CancellationToken.None));
    }

    [Fact]
    public async Task A_box_that_stays_within_its_memory_is_left_alone()
    {
        await using var rig = new LocalRig(("Cgroups", "Off"));
        var spec = Specs.New();
        var handle = await rig.Provider.MakeAsync(spec);
        await rig.Services.GetServices<IHostedService>().OfType<BoxWatch>().Single().LookAsync(CancellationToken.None);
        Assert.Equal(SandboxStatus.Running, (await rig.Provider.InspectAsync(handle, CancellationToken.None)).Status);
    }

    [Theory]
    [InlineData("bwrap", "WherePossible")]
    [InlineData("bwrap", "Off")]
    [InlineData("bubblewrap-that-is-not-there", "Off")]
    public async Task The_tree_is_killed_whole_daemons_included(string bubblewrap, string cgroups)
    {
        await using var rig = new LocalRig(("Cgroups", cgroups), ("Bubblewrap", bubblewrap), ("AllowUnisolated", "true"));
        var spec = Specs.New();
        var handle = await rig.Provider.MakeAsync(spec);
        await rig.RunAsync(spec, "trap '' TERM HUP INT; (setsid sh -c 'trap \"\" TERM; sleep 1000' >/dev/null 2>&1 &)");
        var daemons = await LocalRig.WaitForAsync<List<ProcessIdentity>>("the daemons", () => new(Marked(spec) is { Count: >= 4 } all ? all : null));
        await rig.Provider.DestroyAsync(handle, keepData: false, CancellationToken.None);
        Assert.DoesNotContain(daemons, ProcessTable.IsAlive);
        Assert.Empty(Marked(spec));
    }

    [Fact]
    public async Task A_box_beyond_those_the_machine_may_run_is_told_that_there_is_no_room()
    {
        await using var rig = new LocalRig(("MaxBoxes", "1"));
        var first = Specs.New();
        var handle = await rig.Provider.MakeAsync(first);
        var failure = await Assert.ThrowsAsync<PortException>(async () => await rig.Provider.MakeAsync(Specs.New()));
        Assert.Equal(PortFailureKind.Full, failure.Kind);
        Assert.Equal(handle, await rig.Provider.MakeAsync(first));
        await rig.Provider.MakeAsync(Specs.NextOf(first));
    }

    [Fact]
    public async Task Data_that_cannot_be_deleted_plainly_is_deleted_all_the_same()
    {
        await using var rig = new LocalRig();
        var spec = Specs.New();
        var handle = await rig.Provider.MakeAsync(spec);
        var outside = Path.Combine(rig.Root, "outside");
        await File.WriteAllTextAsync(outside, "not the box's");
        var deep = "mkdir -p ro/only && touch ro/only/file && chmod -R a-w ro; ln -s " + outside + " link; i=0; while [ $i -lt 120 ]; do mkdir -p dddddddddddddddddddddddddddddddddddddddd && cd dddddddddddddddddddddddddddddddddddddddd; i=$((i+1)); done; touch end";
        await rig.RunAsync(spec, deep);
        await rig.Provider.DestroyAsync(handle, keepData: false, CancellationToken.None);
        Assert.False(Directory.Exists(rig.Paths.Of(spec.Session)));
        await rig.Services.GetRequiredService<DataRemoval>().EmptyAsync(CancellationToken.None);
        Assert.Empty(Directory.EnumerateFileSystemEntries(rig.Paths.Trash));
        Assert.Equal("not the box's", await File.ReadAllTextAsync(outside));
    }

    [Fact]
    public async Task The_log_of_a_box_that_floods_it_stays_short()
    {
        await using var rig = new LocalRig();
        var spec = Specs.New();
        await rig.Provider.MakeAsync(spec);
        await rig.ReplaceProgramAsync(spec, "yes flood | head -c 9000000; exec sleep 1000");
        var log = new FileInfo(rig.Paths.Of(rig.RecordOf(spec).Address).Log);
        await LocalRig.WaitUntilAsync("the flood", () => { log.Refresh(); return log.Length >= 9_000_000; });
        await rig.Services.GetServices<IHostedService>().OfType<BoxWatch>().Single().LookAsync(CancellationToken.None);
        log.Refresh();
        Assert.InRange(log.Length, 0, 4 * Megabyte);
    }

    private static List<ProcessIdentity> Marked(SandboxSpec spec) =>
        [.. ProcessTable.All().Where(entry => entry.IsAlive && ProcessTable.HasEnvironment(entry.Pid, $"COORDINATOR_SANDBOX={spec.Sandbox}")).Select(entry => ProcessTable.Identify(entry.Pid)).OfType<ProcessIdentity>()];
}
