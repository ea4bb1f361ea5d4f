using System.Collections.Concurrent;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Sandbox.Boot;
using Coordinator.Sandbox.Bridge;
using Coordinator.Sandbox.Storage;
using Coordinator.Tests.Modules.Box.Bridge;
using Xunit;

namespace Coordinator.Tests.Modules.Box.Boot;

public sealed class InstallStepTests : IDisposable
{
    private readonly TempFolder folder = new();
    private readonly BoxState state;
    private readonly ConcurrentQueue<string> output = new();

    public InstallStepTests()
    {
        state = BoxState.TryOpen(folder["state"], "box_a", 1)!;
        Directory.CreateDirectory(folder["workspace"]);
    }

    public void Dispose()
    {
        state.Dispose();
        folder.Dispose();
    }

    [Fact]
    public async Task What_the_command_prints_is_followed()
    {
        var installed = await InstallAsync("echo out; echo err >&2");

        Assert.True(installed.IsSuccess);
        var printed = string.Concat(output);
        Assert.Contains("out\n", printed, StringComparison.Ordinal);
        Assert.Contains("err\n", printed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_files_are_not_installed_twice_and_changed_ones_are()
    {
        await InstallAsync("echo x >> runs");
        Assert.True((await InstallAsync("echo x >> runs")).Value.Skipped);

        await File.WriteAllTextAsync(Path.Combine(folder["workspace"], "package.json"), "{}");
        await InstallAsync("echo x >> runs");

        Assert.Equal(2, (await File.ReadAllLinesAsync(Path.Combine(folder["workspace"], "runs"))).Length);
    }

    [Theory]
    [InlineData("echo broken >&2; exit 3", "exit code 3")]
    [InlineData("no-such-program-anywhere", "not in the box")]
    public async Task A_failure_says_what_failed_and_that_the_session_goes_on(string command, string expected)
    {
        var detail = (await InstallAsync(command)).Problem!.Detail;

        Assert.Contains(expected, detail, StringComparison.Ordinal);
        Assert.Contains("goes on", detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_command_that_takes_too_long_is_stopped_with_everything_it_started()
    {
        var installed = await InstallAsync("echo $$ > pid; sleep 300 & wait", seconds: 1);

        Assert.Contains("took longer than 1 s", installed.Problem!.Detail, StringComparison.Ordinal);
        var pid = (await File.ReadAllTextAsync(Path.Combine(folder["workspace"], "pid"))).Trim();
        Assert.False(await IsAtWorkAsync(pid));
    }

    /// <summary>Neither gone, which it may be while it is looked at, nor a zombie.</summary>
    private static async Task<bool> IsAtWorkAsync(string pid)
    {
        try
        {
            return !(await File.ReadAllTextAsync($"/proc/{pid}/stat")).Contains(") Z", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }

    private Task<Result<PhaseResult>> InstallAsync(string command, int seconds = 20)
    {
        var settings = MachineHarness.Settings with { Limits = new BoxLimits { InstallSeconds = seconds } };
        var environment = EnvironmentDiscovery.Discover([], new Dictionary<string, string>(), null) with { Commands = new EnvironmentCommands(command, null, null, null) };
        var tools = new Dictionary<string, string> { ["PATH"] = "/usr/bin:/bin", ["HOME"] = folder.Path };
        return new InstallStep(new BootPlan(folder["workspace"], tools, settings), state, TimeProvider.System).RunAsync(environment, output.Enqueue, CancellationToken.None);
    }
}
