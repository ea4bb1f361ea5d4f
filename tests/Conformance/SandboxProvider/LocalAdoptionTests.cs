using System.Diagnostics;
using System.Runtime.Versioning;
using Coordinator.Adapters.LocalSandbox.Launch;
using Coordinator.Adapters.LocalSandbox.Layout;
using Coordinator.Adapters.LocalSandbox.Linux;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Coordinator.Tests.Conformance.SandboxProvider;

/// <summary>Boxes outlive their host; a crash of it at any step leaves nothing untracked.</summary>
[SupportedOSPlatform("linux")]
public sealed class LocalAdoptionTests : IAsyncLifetime
{
    private readonly LocalRig rig = new();
    private readonly SandboxSpec spec = Specs.New();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await rig.DisposeAsync();

    [Fact]
    public async Task The_next_host_process_finds_the_box_and_can_end_it()
    {
        var handle = await CreateAsync();
        rig.Start();
        Assert.Equal(SandboxStatus.Running, (await InspectAsync(handle)).Status);
        Assert.Equal(handle, await CreateAsync());
        Assert.Equal(1, await rig.StartsOfAsync(spec));
        Assert.Equal("alive", (await rig.RunAsync(spec, "echo alive")).Output.Trim());
        await rig.Provider.DestroyAsync(handle, keepData: false, CancellationToken.None);
        Assert.Equal(SandboxStatus.NotFound, (await InspectAsync(handle)).Status);
    }

    [Fact]
    public async Task A_box_is_not_the_hosts_child_and_has_a_session_of_its_own()
    {
        await CreateAsync();
        var launcher = rig.RecordOf(spec).Launcher!.Pid;
        var session = (await File.ReadAllTextAsync($"/proc/{launcher}/stat")).Split(") ")[1].Split(' ')[3];
        Assert.Equal(launcher, int.Parse(session, System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task A_host_that_died_before_it_noted_the_first_process_loses_nothing()
    {
        var handle = await CreateAsync();
        var main = rig.RecordOf(spec).Main!;
        rig.Records.Write(rig.RecordOf(spec) with { Main = null });
        rig.Start();
        Assert.Equal(SandboxStatus.Running, (await InspectAsync(handle)).Status);
        Assert.Equal(handle, await CreateAsync());
        Assert.Equal(1, await rig.StartsOfAsync(spec));
        await rig.Provider.DestroyAsync(handle, keepData: false, CancellationToken.None);
        Assert.False(ProcessTable.IsAlive(main));
    }

    [Fact]
    public async Task A_box_whose_outer_process_was_killed_is_still_found_and_ended()
    {
        var handle = await CreateAsync();
        var record = rig.RecordOf(spec);
        rig.Records.Write(record with { Main = null });
        Native.Signal(record.Launcher!.Pid, Native.SignalKill);
        await LocalRig.WaitUntilAsync("the end of the outer process", () => !ProcessTable.IsAlive(record.Launcher));
        Assert.Equal(SandboxStatus.Running, (await InspectAsync(handle)).Status);
        await rig.Provider.DestroyAsync(handle, keepData: false, CancellationToken.None);
        Assert.False(ProcessTable.IsAlive(record.Main));
    }

    [Fact]
    public async Task A_box_that_was_only_written_down_is_listed_and_started_by_the_next_create()
    {
        var other = Specs.New();
        await rig.Provider.MakeAsync(other);
        var written = rig.RecordOf(other) with { Sandbox = spec.Sandbox, Session = spec.Session, Labels = spec.Labels, Launcher = null, Main = null };
        Directory.CreateDirectory(rig.Paths.Of(written.Address).ConfigDirectory);
        rig.Records.Write(written);
        var handle = new SandboxHandle("local", written.Address.ToString(), rig.Machine().Node);
        Assert.Equal(SandboxStatus.Stopped, (await InspectAsync(handle)).Status);
        Assert.Equal(handle, await CreateAsync());
        Assert.Equal(SandboxStatus.Running, (await InspectAsync(handle)).Status);
    }

    [Fact]
    public void A_launcher_whose_host_dies_before_the_word_starts_nothing()
    {
        var ran = Path.Combine(rig.Root, "ran");
        var script = LaunchCommand.ForIsolated(rig.Machine(), "true", [], new BoxFiles(rig.Root), NewRecord(), SandboxResources.Default)[2];
        using var shell = Process.Start(new ProcessStartInfo("sh", ["-c", script, "sh", "/dev/null", "/dev/null", "touch", ran]) { RedirectStandardInput = true })!;
        shell.StandardInput.Close();
        Assert.True(shell.WaitForExit(TimeSpan.FromSeconds(10)));
        Assert.Equal(75, shell.ExitCode);
        Assert.False(File.Exists(ran));
    }

    [Fact]
    public async Task A_start_that_fails_says_why_and_the_next_try_can_succeed()
    {
        var aside = rig.ProgramPath + ".aside";
        await rig.Services.GetServices<IHostDependency>().Single().StartAsync(CancellationToken.None);
        File.Move(rig.ProgramPath, aside);
        var failure = await Assert.ThrowsAsync<PortException>(async () => await CreateAsync());
        Assert.Contains(rig.ProgramPath, failure.Message, StringComparison.Ordinal);
        File.Move(aside, rig.ProgramPath);
        Assert.Equal(SandboxStatus.Running, (await InspectAsync(await CreateAsync())).Status);
    }

    [Fact]
    public async Task A_number_that_another_process_has_by_now_is_not_the_box()
    {
        var handle = await CreateAsync();
        await rig.EndFromInsideAsync(spec, 0);
        var other = ProcessTable.Identify(Environment.ProcessId)!;
        var record = rig.RecordOf(spec);
        rig.Records.Write(record with { Main = other with { StartTicks = other.StartTicks - 1 }, Launcher = other with { Boot = "an earlier boot" } });
        Assert.Equal(SandboxStatus.Stopped, (await InspectAsync(handle)).Status);
        await rig.Provider.DestroyAsync(handle, keepData: false, CancellationToken.None);
    }

    [Fact]
    public async Task A_zombie_is_dead()
    {
        using var parent = Process.Start(new ProcessStartInfo("perl", ["-e", "$| = 1; my $child = fork; exit unless $child; print \"$child\\n\"; sleep 100"]) { RedirectStandardOutput = true })!;
        var child = int.Parse((await parent.StandardOutput.ReadLineAsync())!, System.Globalization.CultureInfo.InvariantCulture);
        await LocalRig.WaitUntilAsync("the zombie", () => ProcessTable.Find(child) is { State: 'Z' });
        Assert.Null(ProcessTable.Identify(child));
        parent.Kill();
    }

    [Fact]
    public async Task Data_keeps_its_machines_name_from_host_to_host()
    {
        var handle = await CreateAsync();
        rig.Start();
        Assert.Equal(handle.Node, rig.Machine().Node);
    }

    private BoxRecord NewRecord() => new()
    {
        Sandbox = spec.Sandbox,
        Generation = 1,
        Organization = spec.Organization,
        Session = spec.Session,
        Labels = spec.Labels,
        CreatedAt = TimeProvider.System.GetUtcNow(),
        MemoryBytes = 1,
        Isolated = true,
    };

    private ValueTask<SandboxHandle> CreateAsync() => rig.Provider.MakeAsync(spec);

    private ValueTask<SandboxInspection> InspectAsync(SandboxHandle handle) => rig.Provider.InspectAsync(handle, CancellationToken.None);
}
