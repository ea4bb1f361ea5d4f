using Coordinator.Adapters.OpenCode;
using Coordinator.Adapters.OpenCode.Turns;
using Coordinator.Ports.Compute;
using Xunit;

namespace Coordinator.Tests.Modules.Agents.OpenCode;

/// <summary>Each way OpenCode was seen to mislead a reader of its events, on the recording that showed it.</summary>
public sealed class OpenCodeTrapTests
{
    [Fact]
    public void Session_idle_is_not_the_last_event_of_an_aborted_turn()
    {
        var replay = new Replay("03-abort-stream");
        var settled = new List<bool>();
        foreach (var data in replay.Events)
        {
            if (replay.Translator.Translate(data, replay.Updates) == TurnSignal.Rest) settled.Add(replay.Translator.IsSettled);
        }

        // error, status idle, session.idle: not settled; then the message's end; then status idle, session.idle again.
        Assert.Equal([false, false, false, true, true], settled);
        Assert.Equal("tick0 tick1 tick2 tick3 tick4 ", replay.Text);
        Assert.Equal(TurnOutcome.Cancelled, replay.End(cancelled: true).Outcome);
    }

    [Fact]
    public void Late_events_of_the_turn_before_do_not_reach_this_one()
    {
        var before = new Replay("03-abort-stream");
        var translator = new TurnTranslator(before.Session, "msg_1fa0ddce9001SYea4Bg0K2sb5X", "/workspace");
        var updates = new List<AgentUpdate>();

        foreach (var data in before.Events) translator.Translate(data, updates);

        Assert.Empty(updates);
    }

    [Fact]
    public void An_aborted_command_is_called_completed_and_is_shown_as_failed()
    {
        var replay = new Replay("04-abort-tool").Play();

        Assert.Equal("The command was stopped.", replay.Single<AgentUpdate.ToolFailed>().Error);
        Assert.Empty(replay.Updates.OfType<AgentUpdate.ToolCompleted>());
    }

    [Fact]
    public void An_abort_while_the_provider_is_retried_leaves_no_error_and_is_cancelled_all_the_same()
    {
        var replay = new Replay("14-provider-429-retry-abort").Play();

        Assert.True(replay.Translator.IsSettled);
        Assert.Equal((TurnOutcome.Cancelled, null), (replay.End(cancelled: true).Outcome, replay.End(cancelled: true).Code));
    }

    [Fact]
    public void A_question_left_open_by_an_abort_stays_listed_for_ever_and_is_not_asked_again()
    {
        var replay = new Replay("07-permission-abort").Play();
        var stale = Transcript.Read("opencode", "07-permission-abort").Last(line => line.Text("path") == "/permission" && line.Text("dir") == "http-response").GetProperty("body")[0];
        var next = new TurnTranslator(replay.Session, "msg_zzzzzzzzzzzzzzzzzzzzzzzzzz", "/workspace");
        var updates = new List<AgentUpdate>();

        next.Reconsider(stale, updates);
        replay.Updates.Clear();
        replay.Translator.Reconsider(stale, replay.Updates);

        Assert.Empty(updates);
        Assert.Empty(replay.Updates);
    }

    [Fact]
    public void A_question_missed_with_the_stream_is_asked_while_its_tool_waits()
    {
        var replay = new Replay("05-permission-once");
        var open = Transcript.Read("opencode", "05-permission-once").First(line => line.Text("path") == "/permission" && line.Text("dir") == "http-response").GetProperty("body")[0];
        foreach (var data in replay.Events.TakeWhile(e => e.Text("type") != "permission.asked")) replay.Translator.Translate(data, replay.Updates);

        replay.Translator.Reconsider(open, replay.Updates);
        replay.Translator.Reconsider(open, replay.Updates);

        Assert.Equal("bash", replay.Single<AgentUpdate.PermissionAsked>().Permission);
    }

    [Theory]
    [InlineData("06-permission-reject", "Not allowed by policy", true)]
    [InlineData("30-permission-reject-no-message", "rejected permission", false)]
    public void A_rejection_with_a_note_goes_on_and_one_without_ends_the_turn(string transcript, string error, bool goesOn)
    {
        var replay = new Replay(transcript).Play();

        Assert.Contains(error, replay.Single<AgentUpdate.ToolFailed>().Error, StringComparison.Ordinal);
        Assert.Equal(goesOn, replay.Text.Contains("Done.", StringComparison.Ordinal));
        Assert.Equal(TurnOutcome.Completed, replay.End().Outcome);
    }

    [Fact]
    public void A_prompt_sent_while_another_runs_is_dropped_with_it_by_an_abort()
    {
        // So the runtime never sends one; what the transcript shows of the second is not taken for the first's.
        var replay = new Replay("16-queue-while-busy").Play();

        Assert.DoesNotContain("follow-up", replay.Text, StringComparison.Ordinal);
        Assert.Equal(TurnOutcome.Cancelled, replay.End(cancelled: true).Outcome);
    }

    [Fact]
    public void A_denied_tool_is_gone_and_a_call_of_it_fails_under_its_own_name()
    {
        var replay = new Replay("32-deny-rule").Play();

        var failed = replay.Single<AgentUpdate.ToolFailed>();
        Assert.Equal("bash", failed.Tool);
        Assert.Contains("unavailable tool 'bash'", failed.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tool_that_ran_in_a_crash_stays_running_for_ever_and_is_closed_here()
    {
        var crashed = new Replay("37-crash-resume");
        foreach (var data in crashed.Events.TakeWhile(e => e.Text("type") != "server.connected")) crashed.Translator.Translate(data, crashed.Updates);

        var ended = crashed.Translator.Abandon(cancelled: false, new TurnFailure("agent_crashed", "It ended."), crashed.Updates);
        var next = new Replay("37-crash-resume", turn: 1).Play();

        Assert.Equal("The tool did not finish.", crashed.Single<AgentUpdate.ToolFailed>().Error);
        Assert.Equal((TurnOutcome.Failed, "agent_crashed"), (ended.Outcome, ended.Code));
        Assert.Empty(next.Updates.OfType<AgentUpdate.ToolStarted>());
        Assert.Equal("Hello from the scripted model.", next.Text);
    }
}
