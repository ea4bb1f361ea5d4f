using System.Text.Json;
using Coordinator.Adapters.OpenCode;
using Coordinator.Adapters.OpenCode.Turns;
using Coordinator.Ports.Compute;
using Coordinator.Tests.Support.Agents;
using Xunit;

namespace Coordinator.Tests.Modules.Agents.OpenCode;

public sealed class TurnTranslatorTests
{
    [Fact]
    public void Text_streams_as_deltas_at_offsets_and_the_turn_completes_with_its_usage()
    {
        var replay = new Replay("01-text").Play().Reconcile();

        Assert.Equal([0, 6, 11, 15, 24], replay.Updates.OfType<AgentUpdate.Text>().Select(text => text.Offset));
        Assert.Equal("Hello from the scripted model.", replay.Text);
        Assert.Equal(new AgentUpdate.TurnEnded(TurnOutcome.Completed, null, null, new AgentTokens(100, 10, 0, 0, 0, 0)), replay.End());
    }

    [Fact]
    public void The_prompt_itself_is_not_shown()
    {
        var replay = new Replay("01-text").Play().Reconcile();

        Assert.DoesNotContain("SCENARIO", replay.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tool_is_started_once_streams_its_output_and_completes_with_its_exit_code()
    {
        var replay = new Replay("02-tool").Play().Reconcile();

        var started = replay.Single<AgentUpdate.ToolStarted>();
        var completed = replay.Single<AgentUpdate.ToolCompleted>();
        Assert.Equal("bash", started.Tool);
        Assert.Equal("echo hello-from-sandbox", JsonElement.Parse(started.InputJson).Text("command"));
        Assert.Equal("hello-from-sandbox\n", replay.Updates.OfType<AgentUpdate.ToolOutput>().Last().OutputSoFar);
        Assert.Equal(started.CallId, completed.CallId);
        Assert.Equal("hello-from-sandbox\n", completed.Output);
        Assert.Equal(0, completed.ExitCode);
        Assert.Equal(TimeSpan.FromMilliseconds(102), completed.Duration);
        Assert.Equal(200, replay.End().Tokens.Input);
    }

    [Fact]
    public void Reasoning_is_told_apart_from_text()
    {
        var replay = new Replay("12-reasoning").Play();

        Assert.Equal("Let me think.", string.Concat(replay.Updates.OfType<AgentUpdate.Reasoning>().Select(r => r.Delta)));
        Assert.Equal("Thought about it.", replay.Text);
    }

    [Fact]
    public void Todos_are_a_plan()
    {
        var plan = new Replay("10-todo").Play().Single<AgentUpdate.Plan>();

        Assert.Equal([new PlanEntry("one", "in_progress", "high"), new PlanEntry("two", "pending", "low")], plan.Entries);
    }

    [Fact]
    public void An_edit_is_one_change_of_a_path_in_the_workspace()
    {
        var written = new Replay("09-write-edit").Play(Before("Edit it.")).Single<AgentUpdate.FileChanged>();
        var edited = new Replay("09-write-edit", turn: 1).Play(After("Edit it.")).Single<AgentUpdate.FileChanged>();

        Assert.Equal(new AgentUpdate.FileChanged("hello.txt", FileChange.Created), written);
        Assert.Equal(new AgentUpdate.FileChanged("hello.txt", FileChange.Modified), edited);
    }

    [Fact]
    public void An_edit_without_a_file_watcher_is_still_told_and_a_new_file_known_as_such()
    {
        var first = Before("Edit it.");
        var replay = new Replay("09-write-edit").Play(e => first(e) && e.Text("type") != "file.watcher.updated");

        Assert.Equal(new AgentUpdate.FileChanged("hello.txt", FileChange.Created), replay.Single<AgentUpdate.FileChanged>());
    }

    [Fact]
    public void A_question_of_permission_names_the_tool_call_it_is_about()
    {
        var replay = new Replay("05-permission-once").Play();

        var asked = replay.Single<AgentUpdate.PermissionAsked>();
        Assert.Equal("bash", asked.Permission);
        Assert.Equal(["echo hello-from-sandbox"], asked.Patterns);
        Assert.Equal(replay.Single<AgentUpdate.ToolCompleted>().CallId, asked.CallId);
        Assert.Equal("echo hello-from-sandbox", JsonElement.Parse(asked.DetailJson!).Text("command"));
    }

    [Fact]
    public void A_sub_agents_tools_are_shown_and_its_text_is_not()
    {
        var replay = new Replay("26-task").Play();

        Assert.Equal(["task", "bash"], replay.Updates.OfType<AgentUpdate.ToolStarted>().Select(tool => tool.Tool));
        Assert.Equal("Delegated.", replay.Text);
        Assert.Equal(2, replay.Signals.Count(signal => signal == TurnSignal.Rest)); // its own status and session.idle, not the sub-agent's
    }

    [Fact]
    public void A_question_nobody_can_answer_is_handed_to_the_runtime_to_decline()
    {
        var replay = new Replay("11-question").Play();

        Assert.Single(replay.Signals, TurnSignal.Question);
        Assert.StartsWith("que_", replay.Translator.Question, StringComparison.Ordinal);
    }

    [Fact]
    public void Events_that_come_twice_are_harmless()
    {
        var once = new Replay("02-tool").Play();
        var twice = new Replay("02-tool");
        foreach (var data in twice.Events)
        {
            twice.Translator.Translate(data, twice.Updates);
            twice.Translator.Translate(data, twice.Updates);
        }

        Assert.Equal(once.Updates, twice.Updates);
    }

    [Fact]
    public void Unknown_and_malformed_events_are_tolerated()
    {
        var replay = new Replay("01-text");
        string[] strange =
        [
            """{"id":"evt_1","type":"something.new","properties":{"a":1}}""",
            """{"type":"message.part.updated","properties":{"part":"no object"}}""",
            """{"type":"message.part.delta","properties":{"messageID":7}}""",
            """{"type":"message.updated"}""",
            """{"type":12}""",
            "[]",
            "null",
        ];

        foreach (var json in strange) Assert.Equal(TurnSignal.None, replay.Translator.Translate(JsonElement.Parse(json), replay.Updates));

        Assert.Empty(replay.Updates);
    }

    [Fact]
    public void The_last_part_of_an_answer_is_in_the_agents_store_but_was_never_streamed()
    {
        var replay = new Replay("01-text").Play(e => e.Text("type") is not ("message.part.updated" or "message.part.delta"));
        Assert.Equal("", replay.Text);

        replay.Reconcile();

        Assert.Equal("Hello from the scripted model.", replay.Text);
    }

    [Fact]
    public void Deltas_lost_with_the_stream_leave_no_hole()
    {
        var replay = new Replay("01-text");
        var deltas = 0;
        foreach (var data in replay.Events.Where(e => e.Text("type") != "message.part.updated" || !e.GetRawText().Contains("\"end\"", StringComparison.Ordinal)))
        {
            if (data.Text("type") == "message.part.delta" && ++deltas == 2)
            {
                replay.Translator.Interrupted(); // this delta was lost, and the stream opened anew
                continue;
            }

            replay.Translator.Translate(data, replay.Updates);
        }

        Assert.Equal("Hello ", replay.Text);
        Assert.Equal("Hello from the scripted model.", replay.Reconcile().Text);
    }

    [Fact]
    public void What_the_store_does_not_have_in_the_end_is_taken_back()
    {
        var replay = new Replay("01-text").Play();
        var part = UpdateFold.Texts(replay.Updates).Single().Key;
        replay.Translator.Reconcile([JsonElement.Parse(replay.Stored[0].GetRawText().Replace("scripted model.", "scripted", StringComparison.Ordinal))], atRest: true, replay.Updates);

        Assert.Equal("Hello from the scripted", replay.Text);
        Assert.Equal(new AgentUpdate.Text(part, 23, ""), replay.Updates[^1]);
    }

    [Fact]
    public void Empty_agent_output_is_reported_as_success_no_more()
    {
        var replay = new Replay("01-text").Play(e => e.Text("type") is not ("message.part.updated" or "message.part.delta"));

        var ended = replay.End();

        Assert.Equal((TurnOutcome.Failed, "empty_output"), (ended.Outcome, ended.Code));
    }

    [Fact]
    public void A_failure_of_the_provider_is_told_in_its_own_words()
    {
        var ended = new Replay("13-provider-error").Play().End();

        Assert.Equal((TurnOutcome.Failed, "model_error"), (ended.Outcome, ended.Code));
        Assert.Equal("The model provider refused the request (400): scripted failure.", ended.Detail);
    }

    [Fact]
    public void Waiting_for_the_provider_is_told_with_the_time_of_the_next_try()
    {
        var retrying = new Replay("14-provider-429-retry-abort").Play().Single<AgentUpdate.Retrying>();

        Assert.Equal(new AgentUpdate.Retrying(1, "scripted rate limit", DateTimeOffset.FromUnixTimeMilliseconds(1795196588237)), retrying);
    }

    private static Func<JsonElement, bool> Before(string text)
    {
        var passed = false;
        return e => !(passed |= e.GetRawText().Contains(text, StringComparison.Ordinal));
    }

    private static Func<JsonElement, bool> After(string text)
    {
        var before = Before(text);
        return e => !before(e);
    }
}
