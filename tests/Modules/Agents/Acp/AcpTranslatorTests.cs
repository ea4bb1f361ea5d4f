using System.Text.Json;
using Coordinator.Adapters.Acp.Turns;
using Coordinator.Ports.Compute;
using Xunit;

namespace Coordinator.Tests.Modules.Agents.Acp;

public sealed class AcpTranslatorTests
{
    [Theory]
    [InlineData("acp-01-text", "")]
    [InlineData("claude-acp-01-text", "")]
    [InlineData("gemini-acp-01-text", "")]
    [InlineData("codex-acp-01-text", "Warning: Model metadata for `scripted-1` not found. Defaulting to fallback metadata; this can degrade performance and cause issues.\n\n")]
    public void Every_agents_text_turn_is_told_alike(string transcript, string before)
    {
        var replay = new AcpReplay(transcript);

        Assert.Equal(before + "Hello from the scripted model.", replay.Text);
        Assert.Equal(TurnOutcome.Completed, replay.Ended!.Outcome);
        Assert.Equal((100, 10), (replay.Ended.Tokens.Input, replay.Ended.Tokens.Output));
    }

    [Theory]
    [InlineData("acp-02-tool", "bash", "hello-from-sandbox\n", 0)]
    [InlineData("claude-acp-02-tool", "Bash", "hello-from-sandbox", null)]
    [InlineData("codex-acp-02-tool", "exec_command", "hello-from-sandbox\n", 0)]
    [InlineData("gemini-acp-02-tool", "execute", "", null)]
    public void Every_agents_tool_is_started_once_and_completed_with_what_it_tells(string transcript, string tool, string output, int? exitCode)
    {
        var replay = new AcpReplay(transcript);

        var started = replay.Single<AgentUpdate.ToolStarted>();
        var completed = replay.Single<AgentUpdate.ToolCompleted>();
        Assert.Equal(tool, started.Tool);
        Assert.Equal((started.CallId, output, exitCode), (completed.CallId, completed.Output, completed.ExitCode));
        Assert.EndsWith("Done.", replay.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tool_is_not_shown_before_its_input_is_known()
    {
        var replay = new AcpReplay("acp-02-tool");

        Assert.Equal("echo hello-from-sandbox", JsonElement.Parse(replay.Single<AgentUpdate.ToolStarted>().InputJson).GetProperty("command").GetString());
        Assert.Equal("hello-from-sandbox\n", replay.Single<AgentUpdate.ToolOutput>().OutputSoFar);
    }

    [Theory]
    [InlineData("acp-04-cancel-tool")]
    [InlineData("claude-acp-04-cancel-tool")]
    [InlineData("codex-acp-04-cancel-tool")]
    [InlineData("gemini-acp-04-cancel-tool")]
    public void Every_agents_cancelled_tool_fails_and_none_is_left_open(string transcript)
    {
        var replay = new AcpReplay(transcript);

        Assert.Equal(TurnOutcome.Cancelled, replay.Ended!.Outcome);
        Assert.Equal(replay.Single<AgentUpdate.ToolStarted>().CallId, replay.Single<AgentUpdate.ToolFailed>().CallId);
        Assert.Empty(replay.Updates.OfType<AgentUpdate.ToolCompleted>());
    }

    [Fact]
    public void Text_after_a_tool_is_a_part_of_its_own()
    {
        var replay = new AcpReplay("acp-02-tool");

        Assert.Equal(2, replay.Updates.OfType<AgentUpdate.Text>().Select(text => text.Part).Distinct().Count());
        Assert.Equal([0, 8, 0, 9, 15, 35], replay.Updates.OfType<AgentUpdate.Text>().Select(text => text.Offset));
    }

    [Fact]
    public void Thoughts_are_told_apart_from_text()
    {
        var replay = new AcpReplay("acp-10-reasoning");

        Assert.Equal("Let me think.", string.Concat(replay.Updates.OfType<AgentUpdate.Reasoning>().Select(thought => thought.Delta)));
        Assert.Equal("Thought about it.", replay.Text);
    }

    [Fact]
    public void A_written_file_is_told_by_its_path_in_the_workspace()
    {
        Assert.Equal(new AgentUpdate.FileChanged("hello.txt", FileChange.Created), new AcpReplay("acp-08-write-edit").Single<AgentUpdate.FileChanged>());
    }

    [Fact]
    public void A_failed_tool_tells_its_error()
    {
        Assert.Contains("No such tool available", new AcpReplay("claude-acp-08-write-edit").Single<AgentUpdate.ToolFailed>().Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_todo_list_is_a_plan_also_where_it_comes_as_a_tool()
    {
        var plan = new AcpReplay("acp-09-todo-plan").Single<AgentUpdate.Plan>();

        Assert.Equal([new PlanEntry("one", "in_progress", "high"), new PlanEntry("two", "pending", "low")], plan.Entries);
    }

    [Fact]
    public void A_plan_update_is_a_plan()
    {
        var updates = new List<AgentUpdate>();

        Translator().Update(JsonElement.Parse("""{"sessionUpdate":"plan","entries":[{"content":"one","priority":"high","status":"pending"}]}"""), cancelled: false, updates);

        Assert.Equal([new PlanEntry("one", "pending", "high")], Assert.IsType<AgentUpdate.Plan>(Assert.Single(updates)).Entries);
    }

    [Theory]
    [InlineData("acp-ask-05-permission-allow-once", true)]
    [InlineData("acp-ask-06-permission-reject-once", false)]
    public void A_question_of_permission_comes_after_the_start_of_its_tool(string transcript, bool allowed)
    {
        var replay = new AcpReplay(transcript);

        var asked = replay.Single<AgentUpdate.PermissionAsked>();
        Assert.Equal((replay.Single<AgentUpdate.ToolStarted>().CallId, "execute", "echo hello-from-sandbox"), (asked.CallId, asked.Permission, Assert.Single(asked.Patterns)));
        Assert.True(replay.Updates.IndexOf(replay.Single<AgentUpdate.ToolStarted>()) < replay.Updates.IndexOf(asked));
        Assert.Equal(allowed ? 1 : 0, replay.Updates.OfType<AgentUpdate.ToolCompleted>().Count());
        Assert.Equal(allowed ? 0 : 1, replay.Updates.OfType<AgentUpdate.ToolFailed>().Count());
    }

    [Fact]
    public void A_failure_of_the_provider_is_told_in_its_own_words()
    {
        var ended = new AcpReplay("acp-11-provider-error").Ended!;

        Assert.Equal((TurnOutcome.Failed, "model_error", "The model could not answer: scripted failure"), (ended.Outcome, ended.Code, ended.Detail));
    }

    [Fact]
    public void Costs_are_the_turns_own_though_agents_count_the_conversations()
    {
        var translator = new AcpTranslator("turn", "/workspace", costBefore: 0.5m, TimeProvider.System);
        var updates = new List<AgentUpdate>();
        translator.Update(JsonElement.Parse("""{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"x"}}"""), cancelled: false, updates);
        translator.Update(JsonElement.Parse("""{"sessionUpdate":"usage_update","used":1,"size":2,"cost":{"amount":0.75,"currency":"USD"}}"""), cancelled: false, updates);

        Assert.Equal(0.25m, translator.End(JsonElement.Parse("""{"result":{"stopReason":"end_turn"}}"""), cancelled: false, updates).Tokens.CostUsd);
    }

    [Theory]
    [InlineData("""{"result":{"stopReason":"end_turn"}}""", TurnOutcome.Failed, "empty_output")]
    [InlineData("""{"result":{"stopReason":"refusal"}}""", TurnOutcome.Failed, "model_error")]
    [InlineData("""{"result":{"stopReason":"max_turn_requests"}}""", TurnOutcome.Failed, "model_error")]
    [InlineData("""{"result":{"stopReason":"cancelled"}}""", TurnOutcome.Cancelled, null)]
    public void Each_reason_to_stop_has_its_outcome(string answer, TurnOutcome outcome, string? code)
    {
        var ended = Translator().End(JsonElement.Parse(answer), cancelled: false, []);

        Assert.Equal((outcome, code), (ended.Outcome, ended.Code));
    }

    [Fact]
    public void A_call_id_that_an_agent_uses_again_is_another_call()
    {
        var translator = Translator();
        var updates = new List<AgentUpdate>();
        for (var n = 0; n < 2; n++)
        {
            translator.Update(JsonElement.Parse("""{"sessionUpdate":"tool_call","toolCallId":"call_0","title":"bash","kind":"execute","status":"in_progress"}"""), cancelled: false, updates);
            translator.Update(JsonElement.Parse("""{"sessionUpdate":"tool_call_update","toolCallId":"call_0","status":"completed","rawOutput":"x"}"""), cancelled: false, updates);
        }

        Assert.Equal(2, updates.OfType<AgentUpdate.ToolCompleted>().Select(tool => tool.CallId).Distinct().Count());
    }

    [Fact]
    public void Unknown_and_malformed_updates_are_tolerated()
    {
        var updates = new List<AgentUpdate>();
        foreach (var json in (string[])["{}", "[]", "7", """{"sessionUpdate":"new_thing"}""", """{"sessionUpdate":"tool_call"}""", """{"sessionUpdate":"agent_message_chunk","content":[]}"""])
        {
            Translator().Update(JsonElement.Parse(json), cancelled: false, updates);
        }

        Assert.Empty(updates);
    }

    private static AcpTranslator Translator() => new("turn", "/workspace", 0m, TimeProvider.System);
}
