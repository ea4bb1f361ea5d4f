using System.Runtime.Versioning;
using Coordinator.Adapters.LocalSandbox;
using Coordinator.Adapters.LocalSandbox.Limits;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Xunit;

namespace Coordinator.Tests.Conformance.SandboxProvider;

/// <summary>What is said at start, and how the machine is made ready.</summary>
[SupportedOSPlatform("linux")]
public sealed class LocalSetupTests
{
    [Fact]
    public async Task Where_bubblewrap_is_missing_the_start_fails_and_names_the_command_that_installs_it()
    {
        await using var rig = new FailingRig(("Bubblewrap", "bubblewrap-that-is-not-there"));
        var failure = await Assert.ThrowsAsync<PortException>(() => rig.Dependency.StartAsync(CancellationToken.None));
        Assert.Equal(PortFailureKind.Rejected, failure.Kind);
        Assert.Contains("apt-get install bubblewrap", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Sandbox:Local:AllowUnisolated=true", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_bubblewrap_is_forbidden_to_work_that_is_found_out_at_start()
    {
        await using var rig = new FailingRig(("Bubblewrap", "/bin/false"));
        var failure = await Assert.ThrowsAsync<PortException>(() => rig.Dependency.StartAsync(CancellationToken.None));
        Assert.Contains("/bin/false does not work here", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_box_that_runs_without_isolation_does_so_only_when_told_and_says_so()
    {
        await using var rig = new LocalRig(("Bubblewrap", "bubblewrap-that-is-not-there"), ("AllowUnisolated", "true"));
        var dependency = rig.Services.GetRequiredService<IHostDependency>();
        await dependency.StartAsync(CancellationToken.None);
        Assert.Contains("NO ISOLATION", dependency.Description, StringComparison.Ordinal);
        Assert.False(rig.Provider.Capabilities!.EnforcesEgress);
    }

    [Fact]
    public async Task A_ready_machine_is_healthy()
    {
        await using var rig = new LocalRig();
        var dependency = rig.Services.GetRequiredService<IHostDependency>();
        Assert.NotNull(await dependency.CheckAsync(CancellationToken.None));
        await dependency.StartAsync(CancellationToken.None);
        Assert.Null(await dependency.CheckAsync(CancellationToken.None));
    }

    [Fact]
    public async Task A_program_where_the_boxes_user_cannot_go_is_staged_where_it_can()
    {
        await using var rig = new LocalRig();
        var hidden = Directory.CreateDirectory(Path.Combine(rig.Root, "hidden"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute).FullName;
        File.Move(rig.ProgramPath, Path.Combine(hidden, "box-program"));
        rig.Restart(("BoxProgram", Path.Combine(hidden, "box-program")));
        var spec = Specs.New();
        await rig.Provider.MakeAsync(spec);
        Assert.Equal("alive", (await rig.RunAsync(spec, "echo alive")).Output.Trim());
        Assert.Equal(Environment.IsPrivilegedProcess, Directory.Exists(Path.Combine(rig.Root, "shared")));
    }

    [Fact]
    public async Task Data_where_the_boxes_user_cannot_go_has_a_place_of_its_own()
    {
        await using var rig = new LocalRig();
        var hidden = Directory.CreateDirectory(Path.Combine(rig.Root, "hidden"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute).FullName;
        rig.Restart(("DataDirectory", Path.Combine(hidden, "data")));
        var root = rig.Machine().Paths.Root;
        Assert.StartsWith(Environment.IsPrivilegedProcess ? Path.Combine(rig.Root, "shared") : hidden, root, StringComparison.Ordinal);
        var handle = await rig.Provider.MakeAsync(Specs.New());
        Assert.Equal(SandboxStatus.Running, (await rig.Provider.InspectAsync(handle, CancellationToken.None)).Status);
        await rig.Provider.DestroyAsync(handle, keepData: false, CancellationToken.None);
    }

    [Fact]
    public async Task Root_is_refused_as_the_boxes_user()
    {
        await using var rig = new FailingRig(("User", "root"));
        var failure = await Assert.ThrowsAsync<OptionsValidationException>(() => rig.Dependency.StartAsync(CancellationToken.None));
        Assert.Contains("is root", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_agent_that_is_not_installed_is_rejected_with_those_that_are()
    {
        await using var rig = new LocalRig();
        var failure = await Assert.ThrowsAsync<PortException>(async () => await rig.Provider.MakeAsync(Specs.New() with { Agent = "other" }));
        Assert.Equal(PortFailureKind.Rejected, failure.Kind);
        Assert.Contains(Specs.Agent, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_wrong_settings_are_named_at_once()
    {
        await using var services = new ServiceCollection().AddLogging().AddLocalSandbox(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Sandbox:Local:MaxBoxes"] = "0",
            ["Sandbox:Local:CgroupName"] = "../escape",
        }).Build()).BuildServiceProvider();
        var failure = Assert.Throws<OptionsValidationException>(() => services.GetRequiredService<IOptions<LocalSandboxOptions>>().Value);
        Assert.Equal(3, failure.Failures.Count());
    }

    [Fact]
    public void A_version_2_group_gets_the_limits_of_its_box()
    {
        var parent = Directory.CreateTempSubdirectory().FullName;
        var group = Directory.CreateDirectory(Path.Combine(parent, "box")).FullName;
        foreach (var file in new[] { "cpu.max", "memory.swap.max" }) File.WriteAllText(Path.Combine(group, file), "max");
        File.WriteAllText(Path.Combine(group, "memory.events"), "low 0\noom 2\noom_kill 3\n");
        var cgroups = new CgroupsV2(parent);
        cgroups.Create("box", new(1024, 64, 1.5, 0));
        string Read(string file) => File.ReadAllText(Path.Combine(group, file));
        Assert.Equal(("1024", "0", "64", "150000 100000"), (Read("memory.max"), Read("memory.swap.max"), Read("pids.max"), Read("cpu.max")));
        Assert.Equal(3, cgroups.OutOfMemoryKills("box"));
        Directory.Delete(parent, recursive: true);
    }

    /// <summary>A rig whose machine never gets ready.</summary>
    private sealed class FailingRig : IAsyncDisposable
    {
        private readonly string root = Directory.CreateTempSubdirectory("coordinator-test-").FullName;
        private readonly ServiceProvider services;

        public FailingRig((string Name, string Value) setting)
        {
            Dictionary<string, string?> settings = new()
            {
                ["Sandbox:Local:DataDirectory"] = Path.Combine(root, "data"),
                ["Sandbox:Local:SharedDirectory"] = Path.Combine(root, "shared"),
                ["Sandbox:Local:SocketDirectory"] = Path.Combine(root, "run"),
                ["Sandbox:Local:BoxProgram"] = "/bin/true",
                ["Sandbox:Local:User"] = "64123",
                [$"Sandbox:Local:{setting.Name}"] = setting.Value,
            };
            File.SetUnixFileMode(root, (UnixFileMode)0b111_101_101);
            services = new ServiceCollection().AddLogging().AddLocalSandbox(new ConfigurationBuilder().AddInMemoryCollection(settings).Build()).BuildServiceProvider();
        }

        public IHostDependency Dependency => services.GetRequiredService<IHostDependency>();

        public async ValueTask DisposeAsync()
        {
            await services.DisposeAsync();
            Directory.Delete(root, recursive: true);
        }
    }
}
