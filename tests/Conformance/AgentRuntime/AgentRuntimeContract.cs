using System.Text.Json;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Xunit;

namespace Coordinator.Tests.Conformance.AgentRuntime;

/// <summary>What every <see cref="IAgentRuntime"/> promises. The model behind it plays the directives in the prompts.</summary>
public abstract class AgentRuntimeContract(AgentRuntimeHarness harness)
{
    private static readonly TimeSpan Prompt = TimeSpan.FromSeconds(15);

    [Fact]
    public async Task A_text_turn_streams_and_completes()
    {
        var turn = await TurnAsync(await OpenedAsync(), "@say Hello from a scripted model.");

        Assert.Equal("Hello from a scripted model.", turn.Text);
        Assert.True(turn.Updates.OfType<AgentUpdate.Text>().Count() > 1, "The text came in one piece.");
        Assert.Equal((TurnOutcome.Completed, null), (turn.Ended.Outcome, turn.Ended.Code));
        Assert.True(turn.Ended.Tokens.Input > 0 && turn.Ended.Tokens.Output > 0);
    }

    [Fact]
    public async Task Thoughts_are_told_apart_from_the_answer()
    {
        var turn = await TurnAsync(await OpenedAsync(), "@think Hm.");

        Assert.Equal("Hm.", string.Concat(turn.Updates.OfType<AgentUpdate.Reasoning>().Select(thought => thought.Delta)));
        Assert.Equal("Thought.", turn.Text);
    }

    [Fact]
    public async Task A_tool_turn_shows_what_the_tool_was_given_and_what_came_out()
    {
        var turn = await TurnAsync(await OpenedAsync(), "@run echo out of the tool");

        var started = turn.Single<AgentUpdate.ToolStarted>();
        var completed = turn.Single<AgentUpdate.ToolCompleted>();
        Assert.Equal("echo out of the tool", JsonElement.Parse(started.InputJson).GetProperty("command").GetString());
        Assert.Equal(started.CallId, completed.CallId);
        Assert.Equal("out of the tool", completed.Output.Trim());
        Assert.Equal(0, completed.ExitCode);
        Assert.Equal("Done.", turn.Text);
        Assert.Equal(TurnOutcome.Completed, turn.Ended.Outcome);
    }

    [Fact]
    public async Task Output_the_agent_itself_cuts_is_marked_and_other_output_is_not()
    {
        var runtime = await OpenedAsync();

        var cut = (await TurnAsync(runtime, "@run seq 1 40000")).Single<AgentUpdate.ToolCompleted>();
        var whole = (await TurnAsync(runtime, "@run echo short")).Single<AgentUpdate.ToolCompleted>();

        Assert.Equal((true, false), (cut.Truncated, whole.Truncated));
    }

    [Fact]
    public async Task Calls_and_parts_of_two_turns_have_different_ids()
    {
        var runtime = await OpenedAsync();
        var first = await TurnAsync(runtime, "@run true");
        var second = await TurnAsync(runtime, "@run true");

        Assert.NotEqual(first.Single<AgentUpdate.ToolStarted>().CallId, second.Single<AgentUpdate.ToolStarted>().CallId);
        Assert.Empty(first.Updates.OfType<AgentUpdate.Text>().Select(text => text.Part).Intersect(second.Updates.OfType<AgentUpdate.Text>().Select(text => text.Part)));
    }

    [Fact]
    public async Task A_file_the_agent_writes_is_told_by_its_path_in_the_workspace()
    {
        var name = $"notes-{PrefixedId.NewValue(TimeProvider.System):n}.txt";
        var turn = await TurnAsync(await OpenedAsync(), $"@write {name}");

        Assert.Equal(new AgentUpdate.FileChanged(name, FileChange.Created), turn.Single<AgentUpdate.FileChanged>());
    }

    [Fact]
    public async Task A_second_turn_sees_the_first()
    {
        var runtime = await OpenedAsync();
        await TurnAsync(runtime, "@say Remember the heron.");

        var turn = await TurnAsync(runtime, "@recall");

        Assert.Contains("heron", turn.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_conversation_is_resumed_after_a_restart_of_the_process()
    {
        var home = harness.NewHome();
        var before = await harness.StartAsync(home);
        var conversation = await before.OpenAsync(null, CancellationToken.None);
        await TurnAsync(before, "@say Remember the ibis.");
        await before.DisposeAsync();
        var after = await harness.StartAsync(home);

        var resumed = await after.OpenAsync(conversation.Id, CancellationToken.None);
        var turn = await TurnAsync(after, "@recall");

        Assert.Equal(new AgentConversation(conversation.Id, Resumed: true), resumed);
        Assert.Contains("ibis", turn.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(turn.Updates, update => update is AgentUpdate.Text { Delta: "Remember the ibis." });
    }

    [Fact]
    public async Task A_conversation_the_store_does_not_have_is_opened_anew_and_that_is_said()
    {
        var runtime = await harness.FreeAsync();

        var conversation = await runtime.OpenAsync("ses_00000000000000000000000000", CancellationToken.None);

        Assert.False(conversation.Resumed);
        Assert.NotEqual("ses_00000000000000000000000000", conversation.Id);
        Assert.Equal("Here.", (await TurnAsync(runtime, "@say Here.")).Text);
    }

    [Fact]
    public async Task A_new_conversation_knows_the_history_it_was_told_also_in_later_turns()
    {
        var runtime = await OpenedAsync();
        await RecordedTurn.OfAsync(runtime, new AgentPrompt("@say Go on.", AgentRuntimeHarness.Model, "The user spoke of an egret."));

        var turn = await TurnAsync(runtime, "@recall");

        Assert.Contains("egret", turn.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_message_may_name_another_model_and_the_conversation_goes_on()
    {
        var runtime = await harness.StartAsync(harness.NewHome());
        await runtime.OpenAsync(null, CancellationToken.None);
        await TurnAsync(runtime, "@say Remember the stork.");

        var other = new AgentModel("other", "family/scripted-2", ModelWire.OpenAiChat, 64_000, 4_096);
        var turn = await RecordedTurn.OfAsync(runtime, new AgentPrompt("@recall", other, null));

        Assert.Contains("stork", turn.Text, StringComparison.Ordinal);
        Assert.Equal("other/family/scripted-2", harness.ModelsCalled[^1]);
        Assert.False(runtime.Exited.IsCompleted, "A restart for another model was taken for the agent's end.");
    }

    [Fact]
    public async Task A_running_tool_stops_when_the_turn_is_cancelled()
    {
        var runtime = await OpenedAsync();
        var cancelledAt = 0L;

        var turn = await RecordedTurn.OfAsync(runtime, Plain("@run sleep 300"), async update =>
        {
            if (update is not AgentUpdate.ToolStarted) return;
            cancelledAt = TimeProvider.System.GetTimestamp();
            await runtime.CancelAsync(CancellationToken.None);
            await runtime.CancelAsync(CancellationToken.None);
        });

        Assert.Equal((TurnOutcome.Cancelled, null), (turn.Ended.Outcome, turn.Ended.Code));
        Assert.InRange(TimeProvider.System.GetElapsedTime(cancelledAt), TimeSpan.Zero, Prompt);
        turn.Single<AgentUpdate.ToolFailed>();
        Assert.Equal("Still here.", (await TurnAsync(runtime, "@say Still here.")).Text);
    }

    [Fact]
    public async Task A_streaming_answer_stops_when_the_turn_is_cancelled_and_what_was_said_stays()
    {
        var runtime = await OpenedAsync();

        var turn = await RecordedTurn.OfAsync(runtime, Plain("@ramble"), update => update is AgentUpdate.Text { Offset: > 20 } ? runtime.CancelAsync(CancellationToken.None).AsTask() : Task.CompletedTask);

        Assert.Equal(TurnOutcome.Cancelled, turn.Ended.Outcome);
        Assert.StartsWith("and so on and so on ", turn.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cancel_without_a_turn_does_nothing()
    {
        var runtime = await OpenedAsync();

        await runtime.CancelAsync(CancellationToken.None);

        Assert.Equal("Fine.", (await TurnAsync(runtime, "@say Fine.")).Text);
    }

    [Fact]
    public async Task A_tool_that_needs_permission_runs_when_it_is_allowed()
    {
        var runtime = await OpenedAsync(asking: true);

        var turn = await RecordedTurn.OfAsync(runtime, Plain("@run echo allowed"), Answer(runtime, allow: true));

        var asked = turn.Single<AgentUpdate.PermissionAsked>();
        Assert.Contains(asked.Patterns, pattern => pattern.Contains("echo allowed", StringComparison.Ordinal));
        Assert.Equal(turn.Single<AgentUpdate.ToolStarted>().CallId, asked.CallId ?? turn.Single<AgentUpdate.ToolStarted>().CallId);
        Assert.Equal("allowed", turn.Single<AgentUpdate.ToolCompleted>().Output.Trim());
    }

    [Fact]
    public async Task A_permission_holds_for_one_time_only()
    {
        var runtime = await OpenedAsync(asking: true);
        await RecordedTurn.OfAsync(runtime, Plain("@run echo again"), Answer(runtime, allow: true));

        var turn = await RecordedTurn.OfAsync(runtime, Plain("@run echo again"), Answer(runtime, allow: true));

        turn.Single<AgentUpdate.PermissionAsked>();
    }

    [Fact]
    public async Task A_tool_that_needs_permission_does_not_run_when_it_is_refused()
    {
        var runtime = await OpenedAsync(asking: true);

        var turn = await RecordedTurn.OfAsync(runtime, Plain("@run echo refused"), Answer(runtime, allow: false));

        turn.Single<AgentUpdate.ToolFailed>();
        Assert.Empty(turn.Updates.OfType<AgentUpdate.ToolCompleted>());
        Assert.Equal(TurnOutcome.Completed, turn.Ended.Outcome);
    }

    [Fact]
    public async Task A_turn_that_waits_for_permission_can_be_cancelled()
    {
        var runtime = await OpenedAsync(asking: true);

        var turn = await RecordedTurn.OfAsync(runtime, Plain("@run echo waiting"), update => update is AgentUpdate.PermissionAsked ? runtime.CancelAsync(CancellationToken.None).AsTask() : Task.CompletedTask);

        Assert.Equal(TurnOutcome.Cancelled, turn.Ended.Outcome);
        turn.Single<AgentUpdate.ToolFailed>();
    }

    [Fact]
    public async Task An_answer_to_a_question_that_is_not_open_does_nothing()
    {
        var runtime = await OpenedAsync(asking: true);

        await runtime.AnswerPermissionAsync("per_00000000000000000000000000", allow: true, null, CancellationToken.None);

        Assert.Equal("Fine.", (await TurnAsync(runtime, "@say Fine.")).Text);
    }

    [Fact]
    public async Task A_turn_that_nobody_follows_any_more_is_stopped()
    {
        var runtime = await OpenedAsync();
        await foreach (var update in runtime.PromptAsync(Plain("@run sleep 300"), CancellationToken.None))
        {
            if (update is AgentUpdate.ToolStarted) break;
        }

        var turn = await TurnAsync(runtime, "@say Free again.");

        Assert.Equal("Free again.", turn.Text);
        Assert.Equal(TurnOutcome.Completed, turn.Ended.Outcome);
    }

    [Fact]
    public async Task A_refusal_of_the_model_provider_fails_the_turn_in_its_own_words()
    {
        var turn = await TurnAsync(await OpenedAsync(), "@fail 400 the scripted provider will not");

        Assert.Equal((TurnOutcome.Failed, "model_error"), (turn.Ended.Outcome, turn.Ended.Code));
        Assert.Contains("the scripted provider will not", turn.Ended.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Empty_agent_output_is_not_success()
    {
        var turn = await TurnAsync(await OpenedAsync(), "@nothing");

        Assert.Equal((TurnOutcome.Failed, "empty_output"), (turn.Ended.Outcome, turn.Ended.Code));
    }

    [Fact]
    public async Task A_crash_of_the_agent_ends_the_turn_and_is_told()
    {
        var runtime = await harness.StartAsync(harness.NewHome());
        await runtime.OpenAsync(null, CancellationToken.None);

        var turn = await RecordedTurn.OfAsync(runtime, Plain("@run sleep 5"), update =>
        {
            if (update is AgentUpdate.ToolStarted) harness.Kill(runtime);
            return Task.CompletedTask;
        });

        Assert.Equal((TurnOutcome.Failed, "agent_crashed"), (turn.Ended.Outcome, turn.Ended.Code));
        turn.Single<AgentUpdate.ToolFailed>();
        Assert.Equal(137, (await runtime.Exited.WaitAsync(Prompt)).ExitCode);
    }

    [Fact]
    public async Task Disposing_of_it_ends_the_process_and_may_be_done_twice()
    {
        var runtime = await harness.StartAsync(harness.NewHome());

        await runtime.DisposeAsync();
        await runtime.DisposeAsync();

        await runtime.Exited.WaitAsync(Prompt);
    }

    [Fact]
    public async Task A_program_that_is_not_there_cannot_be_started()
    {
        await using var runtime = harness.Create();

        var failure = await Assert.ThrowsAsync<PortException>(async () =>
            await runtime.StartAsync(harness.Launch(harness.NewHome()) with { Executable = "/nowhere/agent" }, CancellationToken.None));

        Assert.Equal(PortFailureKind.Unavailable, failure.Kind);
    }

    private static AgentPrompt Plain(string text) => new(text, AgentRuntimeHarness.Model, null);

    private static Func<AgentUpdate, Task> Answer(IAgentRuntime runtime, bool allow) => async update =>
    {
        if (update is AgentUpdate.PermissionAsked asked) await runtime.AnswerPermissionAsync(asked.PermissionId, allow, null, CancellationToken.None);
    };

    private static Task<RecordedTurn> TurnAsync(IAgentRuntime runtime, string text) => RecordedTurn.OfAsync(runtime, Plain(text));

    private async Task<IAgentRuntime> OpenedAsync(bool asking = false)
    {
        var runtime = asking ? await harness.AskingAsync() : await harness.FreeAsync();
        await runtime.OpenAsync(null, CancellationToken.None);
        return runtime;
    }
}
