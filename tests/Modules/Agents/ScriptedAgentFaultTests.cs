using Coordinator.Fakes.Compute;
using Coordinator.Ports.Compute;
using Coordinator.Tests.Support.Agents;
using Xunit;

namespace Coordinator.Tests.Modules.Agents;

/// <summary>Each fault of the fake shows what it says it shows.</summary>
public sealed class ScriptedAgentFaultTests
{
    [Theory]
    [InlineData(ScriptedAgentFault.Crash, TurnOutcome.Failed, "agent_crashed")]
    [InlineData(ScriptedAgentFault.Hang, TurnOutcome.Failed, "agent_hung")]
    [InlineData(ScriptedAgentFault.Garbage, TurnOutcome.Completed, null)]
    [InlineData(ScriptedAgentFault.Flood, TurnOutcome.Completed, null)]
    public async Task A_fault_ends_the_turn_in_its_own_way(ScriptedAgentFault fault, TurnOutcome outcome, string? code)
    {
        var (_, updates) = await TurnAsync(fault, "@say One two.");

        var ended = Assert.IsType<AgentUpdate.TurnEnded>(updates[^1]);
        Assert.Equal((outcome, code), (ended.Outcome, ended.Code));
    }

    [Fact]
    public async Task A_crash_ends_the_process()
    {
        var (runtime, _) = await TurnAsync(ScriptedAgentFault.Crash, "@say One two.");

        Assert.True(runtime.Exited.IsCompleted);
    }

    [Fact]
    public async Task A_flood_is_text_without_a_hole()
    {
        var (_, updates) = await TurnAsync(ScriptedAgentFault.Flood, "@say .");

        Assert.Equal(ScriptedAgentRuntime.FloodSize + 1, UpdateFold.Text(updates).Length);
    }

    [Fact]
    public async Task Without_an_end_the_updates_just_stop()
    {
        var (_, updates) = await TurnAsync(ScriptedAgentFault.NoEnd, "@say One.");

        Assert.Empty(updates.OfType<AgentUpdate.TurnEnded>());
    }

    [Fact]
    public async Task A_permission_that_is_never_answered_is_left_by_a_cancel_only()
    {
        var (_, updates) = await TurnAsync(ScriptedAgentFault.PermissionNeverAnswered, "@run true", async (runtime, update) =>
        {
            if (update is not AgentUpdate.PermissionAsked asked) return;
            await runtime.AnswerPermissionAsync(asked.PermissionId, allow: true, null, CancellationToken.None);
            await runtime.CancelAsync(CancellationToken.None);
        });

        Assert.Equal(TurnOutcome.Cancelled, Assert.IsType<AgentUpdate.TurnEnded>(updates[^1]).Outcome);
        Assert.Empty(updates.OfType<AgentUpdate.ToolCompleted>());
    }

    private static async Task<(ScriptedAgentRuntime Runtime, List<AgentUpdate> Updates)> TurnAsync(ScriptedAgentFault fault, string prompt, Func<IAgentRuntime, AgentUpdate, Task>? react = null)
    {
        var runtime = new ScriptedAgentRuntime(new ScriptedAgentStore(), TimeProvider.System) { NextFault = fault, HangLimit = TimeSpan.FromMilliseconds(1) };
        var model = new AgentModel("demo", "scripted", ModelWire.OpenAiChat, 1000, 100);
        await runtime.StartAsync(new AgentLaunch("/opt/scripted", "/workspace", "/home", new Dictionary<string, string>(), new Uri("http://127.0.0.1:1"), model, false, TimeSpan.FromSeconds(1)), CancellationToken.None);
        await runtime.OpenAsync(null, CancellationToken.None);
        var updates = new List<AgentUpdate>();
        await foreach (var update in runtime.PromptAsync(new AgentPrompt(prompt, model, null), CancellationToken.None))
        {
            updates.Add(update);
            if (react is not null) await react(runtime, update);
        }

        return (runtime, updates);
    }
}
