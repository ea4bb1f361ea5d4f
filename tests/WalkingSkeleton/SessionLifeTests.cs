using Coordinator.Fakes;
using Coordinator.Fakes.Compute;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.WalkingSkeleton.World;
using Xunit;

namespace Coordinator.Tests.WalkingSkeleton;

/// <summary>The whole life of a session, with nothing outside this process.</summary>
public sealed class SessionLifeTests
{
    private static readonly TimeSpan IdleStop = TimeSpan.FromMinutes(17);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_session_lives_from_its_creation_to_its_archive_and_leaves_no_box(bool fakeHost)
    {
        await using var world = await Skeleton.StartAsync(fakeHost);
        await world.CreateAsync();
        var first = await world.PromptAsync("@say Hello, world.");
        await world.UntilEndedAsync(first);

        Assert.Equal("completed", world.OutcomeOf(first));
        Assert.Equal("Hello, world.", world.TextOf(first));
        Assert.Equal("completed", await world.RunAsync("@run echo made"));
        var tool = Assert.Single(world.Watch.Seen, happened => happened.Type == "tool.completed");
        Assert.Equal("made\n", tool.Text("output"));

        await world.UntilSeenAsync("run.flushed", 2);
        Assert.Equal(["completed", "completed"], (await world.RunsAsync()).Select(stored => stored.Run.Outcome));
        Assert.Null(await world.History.VerifyChainAsync(world.Key.Organization, world.Key.Session, default));

        await world.ArchiveAsync();
        await world.UntilAsync("no box left", () => world.Provider.Running.Count == 0 && world.LivingBoxes == 0);
        Assert.Equal(1, world.Provider.Made);
        Assert.Equal(Enumerable.Range(1, world.Watch.Seen.Count).Select(seq => (long)seq), world.Watch.Seen.Select(happened => happened.Seq));
        Assert.Equal(
            ["session.created", "message.queued", "sandbox.requested", "sandbox.connected", "sandbox.ready", "message.dispatched", "message.started", "agent.text", "message.completed"],
            world.Types.Distinct().Where(type => type is not "sandbox.booting").Take(9));
    }

    [Fact]
    public async Task The_life_of_a_session_takes_less_than_a_second_of_the_processor()
    {
        await using (var warm = await Skeleton.StartAsync()) await LiveAsync(warm);
        var before = Environment.CpuUsage.TotalTime;

        await using (var world = await Skeleton.StartAsync()) await LiveAsync(world);

        Assert.InRange(Environment.CpuUsage.TotalTime - before, TimeSpan.Zero, TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task A_prompt_sent_while_another_runs_waits_its_turn_and_sees_the_earlier_one()
    {
        await using var world = await ReadyAsync();
        var running = await world.PromptAsync("@run sleep 1000");
        var waiting = await world.PromptAsync("@recall");
        await world.UntilSeenAsync("tool.started");

        Assert.Equal("", world.OutcomeOf(waiting));
        await world.CancelAsync(running);
        await world.UntilEndedAsync(waiting);

        Assert.Equal("cancelled", world.OutcomeOf(running));
        Assert.Equal("completed", world.OutcomeOf(waiting));
        Assert.Contains("@run sleep 1000", world.TextOf(waiting), StringComparison.Ordinal);
        Assert.True(world.EndsOf(running)[0].Seq < world.EndsOf(waiting)[0].Seq);
    }

    [Theory]
    [InlineData(PermissionDecision.Once, "tool.completed")]
    [InlineData(PermissionDecision.Reject, "tool.failed")]
    public async Task A_question_waits_for_its_answer_and_the_agent_hears_it(PermissionDecision decision, string then)
    {
        await using var world = await ReadyAsync(PermissionMode.Ask);
        var message = await world.PromptAsync("@run echo asked");
        await world.UntilSeenAsync("permission.asked");
        Assert.DoesNotContain("tool.completed", world.Types);

        await world.AnswerAsync(decision);
        await world.UntilEndedAsync(message);

        Assert.Contains(then, world.Types);
        Assert.Contains("permission.answered", world.Types);
    }

    [Fact]
    public async Task A_grant_for_the_session_answers_the_next_question_of_its_kind()
    {
        await using var world = await ReadyAsync(PermissionMode.Ask);
        await world.PromptAsync("@run echo again");
        await world.UntilSeenAsync("permission.asked");
        await world.AnswerAsync(PermissionDecision.Session);
        await world.UntilSeenAsync("message.completed", 2);

        Assert.Equal("completed", await world.RunAsync("@run echo again"));
    }

    [Fact]
    public async Task An_idle_session_gives_its_box_back_sleeps_and_is_woken_by_a_prompt_with_its_memory()
    {
        await using var world = await ReadyAsync();
        await world.UntilSeenAsync("sandbox.stopped", within: IdleStop);
        await world.UntilAsync("the session has left memory", () => world.ActiveSessions == 0, TimeSpan.FromMinutes(2));
        Assert.Empty(world.Provider.Running);

        var message = await world.PromptAsync("@recall");
        await world.UntilEndedAsync(message);

        Assert.Equal("completed", world.OutcomeOf(message));
        Assert.Contains("Hello.", world.TextOf(message), StringComparison.Ordinal);
        Assert.Equal(2, world.Provider.Made);
    }

    [Fact]
    public async Task A_session_whose_host_went_away_in_the_middle_of_a_start_is_woken_by_its_alarm()
    {
        await using var world = await Skeleton.StartAsync();
        await world.CreateAsync();
        world.Provider.CreateFaults.FailBefore();
        var message = await world.PromptAsync("@say Here.");
        await world.UntilSeenAsync("sandbox.requested");
        await world.RestartHostAsync();
        Assert.Equal(0, world.ActiveSessions);

        world.Provider.CreateFaults.Clear();
        await world.UntilEndedAsync(message, TimeSpan.FromMinutes(2));

        Assert.Equal("completed", world.OutcomeOf(message));
        Assert.Equal(1, world.Provider.Made);
    }

    [Fact]
    public async Task A_running_turn_survives_its_host_because_the_bridge_wakes_the_session_on_the_next()
    {
        await using var world = await ReadyAsync();
        var message = await world.PromptAsync("@run sleep 1000");
        await world.UntilSeenAsync("tool.started");

        await world.RestartHostAsync();
        await world.UntilAsync("the bridge has woken the session", () => world.ActiveSessions == 1);
        await world.CancelAsync(message);
        await world.UntilEndedAsync(message);

        Assert.Equal("cancelled", world.OutcomeOf(message));
        Assert.Equal(1, world.Provider.Made);
        Assert.Single(world.Agents.Prompts, prompt => prompt.Text == "@run sleep 1000");
    }

    [Fact]
    public async Task A_quiet_long_tool_call_is_not_taken_for_idleness()
    {
        await using var world = await ReadyAsync();
        var message = await world.PromptAsync("@run sleep 1000");
        await world.UntilSeenAsync("tool.started");

        await world.PassAsync(TimeSpan.FromMinutes(40));

        Assert.Equal("", world.OutcomeOf(message));
        Assert.Single(world.Provider.Running);
        Assert.DoesNotContain("sandbox.silent", world.Types);
    }

    [Fact]
    public async Task A_change_whose_commit_was_never_answered_is_shown_to_who_watches_once_the_session_lives_again()
    {
        await using var world = await ReadyAsync();
        world.Journal.Faults.LoseResponses();
        var failure = await Assert.ThrowsAsync<PortException>(async () => await world.CallAsync(new SessionCommand.Rename(world.Ada, "Renamed")));
        Assert.True(failure.EffectMayHaveHappened);

        Assert.Equal("Renamed", (await world.ViewAsync()).GetProperty("title").GetString());
        await world.UntilSeenAsync("session.renamed");
    }

    [Fact]
    public async Task A_token_of_another_box_opens_nothing()
    {
        await using var world = await ReadyAsync();
        var stranger = new BoxCredential(world.Provider.Running.Single(), 1, new byte[32]);

        var answer = await world.CallAsync(new SessionCommand.AuthorizeBox(stranger));

        Assert.Equal("box_credential_invalid", answer.Problem?.Code);
    }

    [Fact]
    public async Task Metered_usage_stands_in_the_view_and_in_the_run()
    {
        await using var world = await ReadyAsync();
        var message = await world.PromptAsync("@run sleep 1000");
        await world.UntilSeenAsync("tool.started");
        var sandbox = world.Provider.Running.Single();
        var credential = new BoxCredential(sandbox, 1, world.Tokens.HashFor(world.Key, sandbox, 1));

        Skeleton.Succeeded(await world.CallAsync(new SessionCommand.RecordUsage(credential, new ModelUsage("demo/scripted", 1000, 500, 0, 0, 0, 0.002m))));
        await world.CancelAsync(message);
        await world.UntilSeenAsync("run.flushed", 2);

        Assert.Equal(1000, (await world.ViewAsync()).GetProperty("usage").GetProperty("inputTokens").GetInt64());
        Assert.Equal(0.002m, (await world.RunsAsync())[^1].Run.Usage.CostUsd);
    }

    /// <summary>A session whose box has answered a first prompt.</summary>
    private static async Task<Skeleton> ReadyAsync(PermissionMode permissions = PermissionMode.Auto)
    {
        var world = await Skeleton.StartAsync();
        await world.CreateAsync(permissions);
        Assert.Equal("completed", await world.RunAsync("@say Hello."));
        await world.UntilSeenAsync("run.flushed");
        return world;
    }

    private static async Task LiveAsync(Skeleton world)
    {
        await world.CreateAsync();
        Assert.Equal("completed", await world.RunAsync("@say Hello."));
        Assert.Equal("completed", await world.RunAsync("@run echo out"));
        var endless = await world.PromptAsync("@run sleep 1000");
        await world.UntilSeenAsync("tool.started", 2);
        await world.CancelAsync(endless);
        await world.UntilEndedAsync(endless);
        await world.UntilSeenAsync("run.flushed", 3);
        await world.ArchiveAsync();
        await world.UntilAsync("no box left", () => world.Provider.Running.Count == 0);
    }
}
