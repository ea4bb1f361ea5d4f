using Coordinator.Tests.Support.Hosting;
using Xunit;
using Xunit.Abstractions;

namespace Coordinator.Tests.Journey;

/// <summary>The ten checks again, unchanged, where boxes are a sandbox host's.</summary>
[Collection(ModalJourneyHost.ModalCollection)]
public sealed class ModalJourneyTests(ModalJourneyHost host, ITestOutputHelper output)
{
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(120);

    [Fact]
    public Task All_ten_checks_of_the_journey_hold_on_a_sandbox_host() => host.PlayJourneyAsync(output);

    [Fact]
    public async Task A_sandbox_host_killed_in_the_middle_of_a_turn_comes_back_and_the_turn_goes_on_in_the_same_box()
    {
        await using var run = await host.StartSessionAsync();
        var first = await run.PromptAsync("hello", CancellationToken.None);
        await run.EndAsync(first, "message.completed", Turn, CancellationToken.None);
        var box = (await host.Client.GetSessionAsync(run.Session.Id, CancellationToken.None)).Sandbox.Id;
        var processes = LiveProcess.Naming(run.Session.Id).Select(process => process.Id).ToHashSet();

        var message = await run.PromptAsync("count slowly to 30", CancellationToken.None);
        await run.WaitAsync("the turn to stream", e => e.MessageId == message && e.Type == "agent.text", Turn, CancellationToken.None);
        await host.Boxes.KillAsync();
        Assert.Superset(processes, LiveProcess.Naming(run.Session.Id).Select(process => process.Id).ToHashSet());
        await host.Boxes.StartAsync();
        await run.EndAsync(message, "message.completed", Turn, CancellationToken.None);

        Assert.Contains("29 30", run.TextOf(message), StringComparison.Ordinal);
        Assert.Single(run.EventsOf(message), e => e.Type == "message.started");
        var now = (await host.Client.GetSessionAsync(run.Session.Id, CancellationToken.None)).Sandbox;
        Assert.Equal((box, "ready"), (now.Id, now.Status));
        await host.Client.ArchiveAsync(run.Session.Id, CancellationToken.None);
        await run.WaitAsync("sandbox.stopped", e => e.Type == "sandbox.stopped", TimeSpan.FromSeconds(30), CancellationToken.None);
        Assert.Empty(LiveProcess.Naming(run.Session.Id));
    }

    [Fact]
    public async Task A_host_killed_while_its_box_is_being_made_meets_that_box_and_makes_no_second_one()
    {
        await using var run = await host.StartSessionAsync();
        var message = await run.PromptAsync("hello", CancellationToken.None);
        await run.WaitAsync("sandbox.requested", e => e.Type == "sandbox.requested", Turn, CancellationToken.None);
        await host.Process.KillAsync();
        await host.Process.StartAsync();
        await run.EndAsync(message, "message.completed", Turn, CancellationToken.None);

        var box = (await host.Client.GetSessionAsync(run.Session.Id, CancellationToken.None)).Sandbox;
        var made = Directory.EnumerateDirectories(Path.Combine(host.Boxes.DataDirectory, "sandboxes", "sessions", run.Session.Id, "boxes")).Select(Path.GetFileName).ToList();
        Assert.Equal(("ready", 1), (box.Status, box.Generation));
        Assert.Equal([box.Id], made);
        await host.Client.ArchiveAsync(run.Session.Id, CancellationToken.None);
        await run.WaitAsync("sandbox.stopped", e => e.Type == "sandbox.stopped", TimeSpan.FromSeconds(30), CancellationToken.None);
        Assert.Empty(LiveProcess.Naming(run.Session.Id));
    }

    [Fact]
    public void The_host_says_at_its_start_which_adapter_serves_each_port() =>
        Assert.Contains("ISandboxProvider = ModalSandboxProvider", host.Process.Output, StringComparison.Ordinal);
}
