using System.Text;
using Coordinator.Fakes.Compute;
using Coordinator.Sandbox.Events;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Modules.Box.Journeys;

/// <summary>A turn in a box: what it streams, what it asks, and what stops it.</summary>
public sealed class BoxTurnTests : BoxJourney
{
    [Fact]
    public async Task A_prompt_streams_and_completes()
    {
        Box.Script = (_, _) => [new ScriptedStep.Say("Hello there."), new ScriptedStep.RunTool("bash", """{"command":"ls"}""", "ls", "a\nb\n", Guarded: false)];
        await Box.StartAsync();
        await Box.Host.EventAsync("boot.ready");
        var message = TestBox.NewMessage();

        await Box.Host.PromptAsync(message);

        var ended = await Box.Host.EventAsync(EventKinds.MessageEnded);
        Assert.Equal("completed", ended.GetProperty("outcome").GetString());
        Assert.Equal("Hello there.", Text());
        var tool = await Box.Host.EventAsync(EventKinds.ToolCompleted);
        Assert.Equal("a\nb\n", tool.GetProperty("output").GetString());
        Assert.Equal(message, Box.Host.Events[^1].GetProperty("messageId").GetString());
    }

    [Fact]
    public async Task A_cancel_ends_the_turn_as_cancelled_exactly_once()
    {
        var message = TestBox.NewMessage();
        Box.Script = (_, _) => [new ScriptedStep.Endless("bash")];
        await Box.StartAsync();
        await Box.Host.EventAsync("boot.ready");
        await Box.Host.PromptAsync(message);
        await Box.Host.EventAsync(EventKinds.ToolStarted);

        await Box.Host.RequestAsync("cancel", new { messageId = message });
        await Box.Host.RequestAsync("cancel", new { messageId = message });

        var ended = await Box.Host.EventAsync(EventKinds.MessageEnded);
        Assert.Equal("cancelled", ended.GetProperty("outcome").GetString());
        await Box.Host.PromptAsync(TestBox.NewMessage());
        await Box.Host.EventAsync(EventKinds.ToolStarted);
        Assert.Single(Box.Host.Events, happened => happened.GetProperty("kind").GetString() == EventKinds.MessageEnded);
    }

    [Fact]
    public async Task A_cancel_that_the_agent_does_not_hear_ends_the_agent_and_is_no_crash()
    {
        var message = TestBox.NewMessage();
        Box.NewRuntime = () => new ScriptedAgentRuntime(Box.AgentStore, TimeProvider.System, (_, _) => [new ScriptedStep.Say("Next time.")])
        {
            NextFault = Box.AgentStore.Prompts.Count == 0 ? ScriptedAgentFault.Deaf : ScriptedAgentFault.None,
        };
        await Box.StartAsync();
        await Box.Host.EventAsync("boot.ready");
        await Box.Host.PromptAsync(message);
        await Eventually.HoldsAsync(() => Box.AgentStore.Prompts.Count == 1, "the agent's turn");

        await Box.Host.RequestAsync("cancel", new { messageId = message });

        var ended = await Box.Host.EventAsync(EventKinds.MessageEnded);
        Assert.Equal("cancelled", ended.GetProperty("outcome").GetString());
        await Box.Host.PromptAsync(TestBox.NewMessage());
        await Box.Host.EventAsync(EventKinds.MessageEnded, data => data.GetProperty("outcome").GetString() == "completed");
    }

    [Fact]
    public async Task A_permission_is_asked_under_an_id_of_ours_answered_and_confirmed()
    {
        Box.Host.Config["permissions"] = "ask";
        Box.Script = (_, _) => [new ScriptedStep.RunTool("bash", """{"command":"ls"}""", "ls", "a\n")];
        await Box.StartAsync();
        await Box.Host.EventAsync("boot.ready");
        await Box.Host.PromptAsync(TestBox.NewMessage());

        var asked = await Box.Host.EventAsync(EventKinds.PermissionAsked);
        var permission = asked.GetProperty("permissionId").GetString()!;
        Assert.StartsWith("per_", permission, StringComparison.Ordinal);
        await Box.Host.RequestAsync("permission", new { permissionId = permission, decision = "once" });

        await Box.Host.EventAsync(EventKinds.PermissionConfirmed, data => data.GetProperty("permissionId").GetString() == permission);
        await Box.Host.EventAsync(EventKinds.ToolCompleted);
        Assert.Equal("completed", (await Box.Host.EventAsync(EventKinds.MessageEnded)).GetProperty("outcome").GetString());
    }

    [Fact]
    public async Task Large_output_is_cut_and_the_whole_is_kept_as_an_artifact()
    {
        var output = string.Concat(Enumerable.Range(0, 50_000).Select(i => $"line {i}\n"));
        Box.Script = (_, _) => [new ScriptedStep.RunTool("bash", "{}", "ls", output, Guarded: false)];
        await Box.StartAsync();
        await Box.Host.EventAsync("boot.ready");

        await Box.Host.PromptAsync(TestBox.NewMessage());

        var tool = await Box.Host.EventAsync(EventKinds.ToolCompleted);
        Assert.True(tool.GetProperty("truncated").GetBoolean());
        Assert.Equal(output, Encoding.UTF8.GetString(Box.Host.Artifacts[tool.GetProperty("artifact").GetString()!]));
    }

    [Fact]
    public async Task Output_that_the_agent_has_cut_is_marked_and_no_length_is_claimed_for_it()
    {
        Box.Script = (_, _) => [new ScriptedStep.RunTool("bash", "{}", "ls", "the end\n", Guarded: false, Truncated: true)];
        await Box.StartAsync();
        await Box.Host.EventAsync("boot.ready");

        await Box.Host.PromptAsync(TestBox.NewMessage());

        var tool = await Box.Host.EventAsync(EventKinds.ToolCompleted);
        Assert.True(tool.GetProperty("truncated").GetBoolean());
        Assert.False(tool.TryGetProperty("outputLength", out _));
        Assert.Equal("the end\n", tool.GetProperty("output").GetString());
    }
}
