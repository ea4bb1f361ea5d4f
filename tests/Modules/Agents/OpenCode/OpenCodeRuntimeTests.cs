using System.Text.Json;
using Coordinator.Adapters.OpenCode;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Tests.Support.Agents;
using Xunit;

namespace Coordinator.Tests.Modules.Agents.OpenCode;

/// <summary>What the runtime does when its server behaves as real ones do on bad days.</summary>
public sealed class OpenCodeRuntimeTests
{
    [Fact]
    public async Task A_server_that_never_answers_what_it_was_asked_too_early_is_asked_again()
    {
        await using var stub = await StubOpenCode.StartAsync();
        stub.IgnoredHealthChecks = 1;

        await using var runtime = await stub.RuntimeAsync();

        Assert.Equal(2, stub.Calls.Count(call => call.Call == "GET /global/health"));
    }

    [Fact]
    public async Task A_program_that_does_not_get_ready_is_killed_and_its_last_output_told()
    {
        await using var stub = await StubOpenCode.StartAsync();

        var failure = await Assert.ThrowsAsync<PortException>(() => stub.RuntimeAsync(script: "echo migrating; exec sleep 600", within: TimeSpan.FromMilliseconds(500)));

        Assert.Equal(PortFailureKind.Timeout, failure.Kind);
        Assert.Contains("migrating", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_program_that_ends_while_it_starts_tells_why()
    {
        await using var stub = await StubOpenCode.StartAsync();

        var failure = await Assert.ThrowsAsync<PortException>(() => stub.RuntimeAsync(script: "echo 'no space left' >&2; exit 3"));

        Assert.Equal(PortFailureKind.Unavailable, failure.Kind);
        Assert.Contains("exit code 3", failure.Message, StringComparison.Ordinal);
        Assert.Contains("no space left", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lost_event_stream_is_opened_again_and_what_was_missed_is_read_from_the_store()
    {
        await using var stub = await StubOpenCode.StartAsync();
        await using var runtime = await stub.RuntimeAsync();
        stub.OnPrompt = _ =>
        {
            stub.Send(StubOpenCode.Status("busy"));
            stub.Messages = $"[{StubOpenCode.Answer("All of it.")}]";
            stub.CutStream();
        };

        var updates = await TurnAsync(runtime);

        Assert.Equal("All of it.", UpdateFold.Text(updates));
        Assert.Equal(TurnOutcome.Completed, Ended(updates).Outcome);
        Assert.Equal(2, stub.Streams);
    }

    [Fact]
    public async Task A_terminal_event_that_is_lost_with_the_stream_does_not_leave_the_turn_open()
    {
        await using var stub = await StubOpenCode.StartAsync();
        await using var runtime = await stub.RuntimeAsync();
        stub.OnPrompt = _ =>
        {
            stub.Busy = true;
            stub.Send(StubOpenCode.Status("busy"));
            stub.CutStream();
            stub.Messages = $"[{StubOpenCode.Answer("Done.")}]";
            stub.Busy = false; // its idle event went to nobody
        };

        Assert.Equal(TurnOutcome.Completed, Ended(await TurnAsync(runtime)).Outcome);
    }

    [Fact]
    public async Task An_idle_event_while_the_session_works_does_not_end_the_turn()
    {
        await using var stub = await StubOpenCode.StartAsync();
        await using var runtime = await stub.RuntimeAsync();
        stub.OnPrompt = _ =>
        {
            stub.Busy = true;
            stub.Send(StubOpenCode.Status("busy"));
            stub.Send(StubOpenCode.Event("session.idle", """{"sessionID":"ses_1"}""")); // the turn before's second one
            stub.Send(StubOpenCode.Event("todo.updated", """{"sessionID":"ses_1","todos":[]}"""));
        };

        var updates = await TurnAsync(runtime, update =>
        {
            if (update is not AgentUpdate.Plan) return Task.CompletedTask;
            stub.Messages = $"[{StubOpenCode.Answer("Later.")}]";
            stub.Busy = false;
            stub.Send(StubOpenCode.Event("session.idle", """{"sessionID":"ses_1"}"""));
            return Task.CompletedTask;
        });

        Assert.Equal("Later.", UpdateFold.Text(updates));
    }

    [Fact]
    public async Task A_server_that_answers_no_health_check_hangs()
    {
        await using var stub = await StubOpenCode.StartAsync();
        await using var runtime = await stub.RuntimeAsync(StubOpenCode.Quick with { HealthInterval = TimeSpan.FromMilliseconds(50), HealthTimeout = TimeSpan.FromMilliseconds(200), HealthFailures = 2 });
        stub.OnPrompt = _ =>
        {
            stub.Send(StubOpenCode.Status("busy"));
            stub.Hangs = true;
        };

        var ended = Ended(await TurnAsync(runtime));

        Assert.Equal((TurnOutcome.Failed, "agent_hung"), (ended.Outcome, ended.Code));
        await runtime.Exited.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task A_quiet_long_tool_call_is_not_taken_for_a_hang()
    {
        await using var stub = await StubOpenCode.StartAsync();
        await using var runtime = await stub.RuntimeAsync(StubOpenCode.Quick with { HealthInterval = TimeSpan.FromMilliseconds(10), HealthFailures = 2 });
        var checks = 0;
        stub.OnPrompt = _ =>
        {
            stub.Busy = true;
            stub.Send(StubOpenCode.Status("busy"));
        };

        var turn = TurnAsync(runtime);
        for (var deadline = TimeProvider.System.GetTimestamp(); checks < 20 && TimeProvider.System.GetElapsedTime(deadline) < TimeSpan.FromSeconds(30);)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
            checks = stub.Calls.Count(call => call.Call == "GET /global/health");
        }

        Assert.False(turn.IsCompleted);
        stub.Messages = $"[{StubOpenCode.Answer("It took long.")}]";
        stub.Busy = false;
        stub.Send(StubOpenCode.Status("idle"));
        Assert.Equal(TurnOutcome.Completed, Ended(await turn).Outcome);
    }

    [Fact]
    public async Task A_stop_that_comes_before_the_agent_has_begun_is_repeated_when_it_begins()
    {
        await using var stub = await StubOpenCode.StartAsync();
        await using var runtime = await stub.RuntimeAsync();
        var aborts = 0;
        stub.OnPrompt = _ => stub.Send(StubOpenCode.Event("todo.updated", """{"sessionID":"ses_1","todos":[]}"""));
        stub.OnAbort = () =>
        {
            if (++aborts == 1)
            {
                stub.Busy = true; // it had nothing to stop yet, and now begins
                stub.Send(StubOpenCode.Status("busy"));
            }
            else
            {
                stub.Busy = false;
                stub.Send(StubOpenCode.Status("idle"));
            }
        };

        var updates = await TurnAsync(runtime, update => update is AgentUpdate.Plan ? runtime.CancelAsync(CancellationToken.None).AsTask() : Task.CompletedTask);

        Assert.Equal(TurnOutcome.Cancelled, Ended(updates).Outcome);
        Assert.Equal(2, aborts);
    }

    [Fact]
    public async Task An_agent_that_does_not_stop_is_killed_and_its_turn_is_cancelled()
    {
        await using var stub = await StubOpenCode.StartAsync();
        await using var runtime = await stub.RuntimeAsync(StubOpenCode.Quick with { CancelGrace = TimeSpan.FromMilliseconds(100) });
        stub.OnPrompt = _ =>
        {
            stub.Busy = true;
            stub.Send(StubOpenCode.Status("busy"));
            stub.Send(StubOpenCode.Event("todo.updated", """{"sessionID":"ses_1","todos":[]}"""));
        };

        var updates = await TurnAsync(runtime, update => update is AgentUpdate.Plan ? runtime.CancelAsync(CancellationToken.None).AsTask() : Task.CompletedTask);

        Assert.Equal(TurnOutcome.Cancelled, Ended(updates).Outcome);
        await runtime.Exited.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task A_permission_question_in_a_headless_run_is_declined_and_does_not_hang_for_ever()
    {
        await using var stub = await StubOpenCode.StartAsync();
        await using var runtime = await stub.RuntimeAsync();
        stub.OnPrompt = _ =>
        {
            stub.Busy = true;
            stub.Send(StubOpenCode.Status("busy"));
            stub.Send(StubOpenCode.Event("permission.asked", """{"id":"per_1","sessionID":"ses_1","permission":"doom_loop","patterns":["*"],"metadata":{},"always":[]}"""));
            stub.Send(StubOpenCode.Event("question.asked", """{"id":"que_1","sessionID":"ses_1","questions":[]}"""));
            stub.Messages = $"[{StubOpenCode.Answer("Went on.")}]";
            stub.Busy = false;
            stub.Send(StubOpenCode.Status("idle"));
        };

        var updates = await TurnAsync(runtime);

        Assert.Empty(updates.OfType<AgentUpdate.PermissionAsked>());
        Assert.Contains(stub.Calls, call => call.Call == "POST /permission/per_1/reply" && JsonElement.Parse(call.Body).Text("reply") == "reject");
        Assert.Contains(stub.Calls, call => call.Call == "POST /question/que_1/reject");
    }

    [Theory]
    [InlineData(true, "ignored", "once", null)]
    [InlineData(false, "Not that way.", "reject", "Not that way.")]
    [InlineData(false, null, "reject", null)]
    public async Task Always_is_never_answered_since_it_would_hold_for_every_session(bool allow, string? note, string reply, string? message)
    {
        await using var stub = await StubOpenCode.StartAsync();
        await using var runtime = await stub.RuntimeAsync();

        await runtime.AnswerPermissionAsync("per_1", allow, note, CancellationToken.None);

        var body = JsonElement.Parse(stub.Calls.Single(call => call.Call == "POST /permission/per_1/reply").Body);
        Assert.Equal((reply, message), (body.Text("reply"), body.Text("message")));
    }

    [Fact]
    public async Task A_prompt_while_a_turn_runs_is_refused_since_an_abort_would_drop_it()
    {
        await using var stub = await StubOpenCode.StartAsync();
        await using var runtime = await stub.RuntimeAsync();
        stub.OnPrompt = _ =>
        {
            stub.Busy = true;
            stub.Send(StubOpenCode.Status("busy"));
            stub.Send(StubOpenCode.Event("todo.updated", """{"sessionID":"ses_1","todos":[]}"""));
        };
        await using var turn = runtime.PromptAsync(new AgentPrompt("one", StubOpenCode.Model, null), CancellationToken.None).GetAsyncEnumerator();
        await turn.MoveNextAsync();

        await Assert.ThrowsAsync<InvalidOperationException>(() => TurnAsync(runtime));
    }

    private static async Task<List<AgentUpdate>> TurnAsync(OpenCodeRuntime runtime, Func<AgentUpdate, Task>? react = null)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(60), TimeProvider.System);
        var updates = new List<AgentUpdate>();
        await foreach (var update in runtime.PromptAsync(new AgentPrompt("Go.", StubOpenCode.Model, null), late.Token))
        {
            updates.Add(update);
            if (react is not null) await react(update);
        }

        return updates;
    }

    private static AgentUpdate.TurnEnded Ended(List<AgentUpdate> updates) => Assert.IsType<AgentUpdate.TurnEnded>(updates[^1]);
}
