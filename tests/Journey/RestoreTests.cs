using Coordinator.Cli.Journey;
using Coordinator.Client;
using Coordinator.Tests.Support.Hosting;
using Xunit;

namespace Coordinator.Tests.Journey;

/// <summary>Yesterday's backup, restored under people and boxes that know of today.</summary>
public sealed class RestoreTests(RestoredHost host) : IClassFixture<RestoredHost>
{
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task A_restored_host_tells_clients_and_boxes_and_goes_on_from_what_the_backup_had()
    {
        await using var run = await host.StartSessionAsync();
        await CompleteAsync(run, "count to 5");
        var backup = Path.Combine(host.Process.DataDirectory, "yesterday");
        Succeeds(await host.Process.DoAsync("backup", backup), "Backed up 1 sessions");

        await CompleteAsync(run, "count to 7");
        var shown = run.Log.Cursor!;
        var lost = await host.Client.CreateSessionAsync(new("demo/scripted"), CancellationToken.None);
        var busy = await host.Process.DoAsync("restore", backup, "--replace");
        Assert.Equal((1, true), (busy.ExitCode, busy.Said.Contains("Another host is using the database", StringComparison.Ordinal)));

        // It stops in the middle of a turn that the backup has never heard of, and whose agent works on.
        var unheardOf = await run.PromptAsync("count to 400", CancellationToken.None);
        await run.Log.WaitAsync("the turn's first words", e => e.MessageId == unheardOf && e.Type == "agent.text", Turn, CancellationToken.None);
        await host.Process.StopAsync();
        var held = await host.Process.DoAsync("restore", backup);
        Assert.Equal((1, true), (held.ExitCode, held.Said.Contains("--replace", StringComparison.Ordinal)));
        Succeeds(await host.Process.DoAsync("restore", backup, "--replace"), "Restored 1 sessions");
        await host.Process.StartAsync();

        // The client, who has seen what is gone, is told to load anew; what it loads has the first turn and not the second.
        var told = await Assert.ThrowsAsync<CoordinatorException>(() => host.Client.ListEventsAsync(run.Session.Id, shown, 10, CancellationToken.None));
        Assert.Equal((410, "cursor_invalid"), (told.Status, told.Code));
        await using var anew = new EventLog(host.Client, run.Session.Id);
        Assert.Equal(404, (await Assert.ThrowsAsync<CoordinatorException>(() => host.Client.GetSessionAsync(lost.Id, CancellationToken.None))).Status);

        // Its box, which has been acknowledged what is gone, is not left to believe it: what it cannot say again is said to be lost.
        await anew.WaitAsync("what is lost to be said", e => e.Type == "events.lost", Turn, CancellationToken.None);
        await CompleteAsync(run, anew, "count to 3");
        Assert.Equal(2, anew.Snapshot().Count(e => e.Type == "message.completed"));
        Assert.DoesNotContain(anew.Snapshot(), e => e.MessageId == unheardOf);
        Assert.Equal(Enumerable.Range(1, anew.Snapshot().Count).Select(seq => (long)seq), anew.Snapshot().Select(e => e.Seq));

        // Who resumes from where the stream is goes on, although most of its events were written before.
        await using var resumed = new EventLog(host.Client, run.Session.Id, anew.Cursor);
        await CompleteAsync(run, resumed, "count to 4");
    }

    private static async Task CompleteAsync(JourneyRun run, string text) => await run.EndAsync(await run.PromptAsync(text, CancellationToken.None), "message.completed", Turn, CancellationToken.None);

    private static async Task CompleteAsync(JourneyRun run, EventLog log, string text)
    {
        var message = await run.PromptAsync(text, CancellationToken.None);
        var end = await log.WaitAsync($"the end of '{text}'", e => e.MessageId == message && JourneyRun.IsEnd(e), Turn, CancellationToken.None);
        Assert.Equal("message.completed", end.Type);
    }

    private static void Succeeds((int ExitCode, string Said) done, string what)
    {
        Assert.True(done.ExitCode == 0, done.Said);
        Assert.Contains(what, done.Said, StringComparison.Ordinal);
        Assert.Contains("master.key", done.Said, StringComparison.Ordinal);
    }
}

/// <summary>A host of these tests alone: it is stopped, at once whatever is under way, and put back in time.</summary>
public sealed class RestoredHost : JourneyHost
{
    protected override Task<IReadOnlyDictionary<string, string>> SettingsAsync() =>
        Task.FromResult<IReadOnlyDictionary<string, string>>(new Dictionary<string, string> { ["Sessions:Host:SettleTime"] = "00:00:00" });
}
