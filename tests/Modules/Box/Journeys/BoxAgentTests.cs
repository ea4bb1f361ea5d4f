using Coordinator.Fakes.Compute;
using Coordinator.Ports;
using Coordinator.Sandbox.Events;
using Xunit;

namespace Coordinator.Tests.Modules.Box.Journeys;

/// <summary>An agent that crashes, will not start or has nothing to say.</summary>
public sealed class BoxAgentTests : BoxJourney
{
    [Fact]
    public async Task An_agent_that_crashes_fails_its_message_and_is_there_for_the_next()
    {
        var runtimes = new List<ScriptedAgentRuntime>();
        Box.NewRuntime = () =>
        {
            runtimes.Add(new ScriptedAgentRuntime(Box.AgentStore, TimeProvider.System));
            if (runtimes.Count == 1) runtimes[0].NextFault = ScriptedAgentFault.Crash;
            return runtimes[^1];
        };
        await Box.StartAsync();
        await Box.Host.EventAsync("boot.ready");

        await Box.Host.PromptAsync(TestBox.NewMessage());
        var failed = await Box.Host.EventAsync(EventKinds.MessageEnded);
        Assert.Equal(("failed", "agent_crashed"), (failed.GetProperty("outcome").GetString(), failed.GetProperty("code").GetString()));

        await Box.Host.PromptAsync(TestBox.NewMessage());
        await Box.Host.EventAsync(EventKinds.MessageEnded, data => data.GetProperty("outcome").GetString() == "completed");
        Assert.Equal(2, runtimes.Count);
    }

    [Fact]
    public async Task An_agent_that_cannot_be_started_anew_is_told_with_its_reason_and_so_is_its_message()
    {
        ScriptedAgentRuntime? first = null;
        Box.NewRuntime = () => first is null
            ? first = new ScriptedAgentRuntime(Box.AgentStore, TimeProvider.System) { NextFault = ScriptedAgentFault.Crash }
            : throw new PortException(PortFailureKind.Unavailable, "It ended with exit code 1.");
        await Box.StartAsync();
        await Box.Host.EventAsync("boot.ready");
        await Box.Host.PromptAsync(TestBox.NewMessage());
        await Box.Host.EventAsync(EventKinds.MessageEnded);

        await Box.Host.PromptAsync(TestBox.NewMessage());

        var failed = await Box.Host.EventAsync(EventKinds.AgentFailed);
        Assert.Equal("agent_start_failed", failed.GetProperty("code").GetString());
        var ended = await Box.Host.EventAsync(EventKinds.MessageEnded, data => data.GetProperty("code").GetString() != "agent_crashed");
        Assert.Equal(failed.GetProperty("detail").GetString(), ended.GetProperty("detail").GetString());
        Assert.Equal("agent_start_failed", ended.GetProperty("code").GetString());
    }

    [Fact]
    public async Task Empty_agent_output_is_not_reported_as_success()
    {
        Box.Script = (_, _) => [];
        await Box.StartAsync();
        await Box.Host.EventAsync("boot.ready");

        await Box.Host.PromptAsync(TestBox.NewMessage());

        Assert.Equal("empty_output", (await Box.Host.EventAsync(EventKinds.MessageEnded)).GetProperty("code").GetString());
    }
}
