using System.Diagnostics;
using System.Globalization;
using Coordinator.Cli.Journey;
using Coordinator.Client;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Journey;

/// <summary>The journey's own machinery: it must end, and say why, whatever happens to the host.</summary>
public sealed class HostControlTests : IDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(10);

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("coordinator-host-control-");

    private string PidFile => Path.Combine(folder.FullName, "host.pid");

    [Fact]
    public async Task A_killed_host_that_its_parent_has_not_collected_counts_as_gone()
    {
        // The parent becomes a program that never waits for its children: what is killed stays a zombie.
        using var parent = Process.Start("/bin/sh", ["-c", $"sleep 600 & echo $! > {PidFile}.next; mv {PidFile}.next {PidFile}; exec sleep 600"]);
        try
        {
            await Eventually.HoldsAsync(() => File.Exists(PidFile), "the writing of the pid file");

            await new ProcessHostControl(PidFile, "true").KillAsync(CancellationToken.None).WaitAsync(Bound);

            Assert.True(Directory.Exists($"/proc/{(await File.ReadAllTextAsync(PidFile)).Trim()}"), "It was collected, so this shows nothing.");
        }
        finally
        {
            parent.Kill();
        }
    }

    [Fact]
    public async Task A_host_that_runs_on_in_the_foreground_does_not_hold_up_its_start()
    {
        var control = new ProcessHostControl(PidFile, $"echo $$ > {PidFile}.next; mv {PidFile}.next {PidFile}; exec sleep 600");

        await control.StartAsync(CancellationToken.None).WaitAsync(Bound);

        await Eventually.HoldsAsync(() => File.Exists(PidFile), "the writing of the pid file");
        var pid = int.Parse(await File.ReadAllTextAsync(PidFile), CultureInfo.InvariantCulture);
        await Eventually.HoldsAsync(async () => (await File.ReadAllTextAsync($"/proc/{pid}/cmdline")).StartsWith("sleep", StringComparison.Ordinal), "the shell to have become the command");
        await control.KillAsync(CancellationToken.None).WaitAsync(Bound);
    }

    [Fact]
    public async Task A_missing_pid_file_is_said_by_name()
    {
        var missing = await Assert.ThrowsAsync<JourneyException>(() => new ProcessHostControl(PidFile, "true").KillAsync(CancellationToken.None));

        Assert.Contains(PidFile, missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_check_that_does_not_end_is_ended_and_says_what_it_waited_for()
    {
        using var client = new CoordinatorClient(new Uri("http://127.0.0.1:9"));
        await using var run = new JourneyRun(client, new("demo/scripted", null, null, SameMachine: true));
        var never = new TaskCompletionSource();
        var check = new JourneyCheck(1, "a check that hangs", (r, _) =>
        {
            r.Step = "the moon";
            return never.Task;
        });

        var result = await JourneyPlayer.PlayAsync(check, run, TimeSpan.FromMilliseconds(100), CancellationToken.None).WaitAsync(Bound);

        Assert.Contains("waited for the moon", result.Problem, StringComparison.Ordinal);
    }

    public void Dispose() => folder.Delete(recursive: true);
}
