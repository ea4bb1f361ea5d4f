using System.Diagnostics;
using System.Reflection;
using Coordinator.Fakes.Compute;
using Coordinator.Ports.Compute;
using Coordinator.Sandbox.Bridge;
using Coordinator.Sandbox.Commands;
using Coordinator.Sandbox.Events;
using Coordinator.Sandbox.Processes;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Modules.Box.Journeys;

/// <summary>What ends a box: an order, a refusal, a disk without room.</summary>
public sealed class BoxEndTests : BoxJourney
{
    [Fact]
    public async Task A_shutdown_in_the_middle_of_a_turn_tells_that_it_was_interrupted_and_ends_the_box()
    {
        Box.Script = (_, _) => [new ScriptedStep.Endless("bash")];
        await Box.StartAsync();
        await Box.Host.EventAsync("boot.ready");
        await Box.Host.PromptAsync(TestBox.NewMessage());
        await Box.Host.EventAsync(EventKinds.ToolStarted);

        await Box.Host.RequestAsync("shutdown", new { reason = "idle" });

        Assert.Equal("interrupted", (await Box.Host.EventAsync(EventKinds.MessageEnded)).GetProperty("code").GetString());
        Assert.Equal(BridgeVerdict.Stopped, await Box.EndAsync());
    }

    [Fact]
    public async Task A_shutdown_while_an_answer_is_on_its_way_to_an_agent_that_does_not_take_it_ends_the_box_in_order()
    {
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Box.NewRuntime = () => DeafAgent.Over(new ScriptedAgentRuntime(Box.AgentStore, TimeProvider.System, Box.Script), held);
        Box.Host.Config["permissions"] = "ask";
        Box.Script = (_, _) => [new ScriptedStep.RunTool("bash", """{"command":"ls"}""", "ls", "a\n")];
        await Box.StartAsync();
        await Box.Host.EventAsync("boot.ready");
        await Box.Host.PromptAsync(TestBox.NewMessage());
        var asked = await Box.Host.EventAsync(EventKinds.PermissionAsked);
        await Box.Host.RequestAsync("permission", new { permissionId = asked.GetProperty("permissionId").GetString(), decision = "once" });
        await held.Task.WaitAsync(TimeSpan.FromSeconds(60));

        await Box.Host.RequestAsync("shutdown", new { reason = "idle" });

        Assert.Equal("interrupted", (await Box.Host.EventAsync(EventKinds.MessageEnded)).GetProperty("code").GetString());
        Assert.Equal(BridgeVerdict.Stopped, await Box.EndAsync());
    }

    [Fact]
    public async Task A_box_whose_disk_takes_no_new_spool_in_the_middle_of_a_turn_ends_its_agent_and_says_why_it_ends()
    {
        ScriptedAgentRuntime? agent = null;
        Box.NewRuntime = () => agent = new(Box.AgentStore, TimeProvider.System, (_, _) => [new ScriptedStep.Endless("bash")]);
        await Box.StartAsync();
        await Box.Host.EventAsync("boot.ready");
        await Box.Host.PromptAsync(TestBox.NewMessage());
        await Box.Host.EventAsync(EventKinds.ToolStarted);

        // Where the new spool would be made there is a file.
        Directory.Delete(Box.SpoolFolder, recursive: true);
        File.WriteAllText(Box.SpoolFolder, "");
        Box.Host.Ahead = 1_000;
        await Box.Host.CloseAsync(1012);

        var verdict = await Box.EndAsync();
        Assert.Equal((BridgeVerdict.NoDisk, 5), (verdict, RunCommand.CodeOf(verdict)));
        Assert.True(agent!.Exited.IsCompleted);
        var log = Box.Log.ToString();
        Assert.Contains("ending: the disk takes no new spool", log, StringComparison.Ordinal);
        Assert.DoesNotContain("gone for good", log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_process_that_a_turn_left_is_ended_when_it_fills_the_disk_and_the_next_turn_runs()
    {
        await Box.StartAsync();
        await Box.Host.EventAsync("boot.ready");
        await Box.Host.PromptAsync(TestBox.NewMessage());
        await Box.Host.EventAsync(EventKinds.MessageEnded);
        var file = Path.Combine(Box.Workspace, "grows");
        using var left = Process.Start("/bin/sh", ["-c", $"(trap '' TERM; while :; do echo more >> '{file}'; sleep 0.1; done) & wait"]);
        Box.Parts!.EndProcesses = () => ProcessFamily.EndAsync(left.Id, TimeProvider.System);
        try
        {
            await Eventually.HoldsAsync(() => File.Exists(file), "the process to write");
            new DiskWatch([Box.Workspace], limit: 1, Box.Parts.Orders.StopGrowth, TimeProvider.System).Look();

            await left.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        }
        finally
        {
            left.Kill(entireProcessTree: true);
        }

        await Box.Host.PromptAsync(TestBox.NewMessage());
        await Eventually.HoldsAsync(() => Box.Host.Events.Count(happened => happened.GetProperty("kind").GetString() == EventKinds.MessageEnded && happened.GetProperty("data").GetProperty("outcome").GetString() == "completed") == 2, "the next turn to complete");
    }

    [Fact]
    public async Task A_box_whose_workspace_grows_on_whatever_is_ended_ends_and_says_why()
    {
        var ended = 0;
        await Box.StartAsync();
        await Box.Host.EventAsync("boot.ready");
        await Box.Host.PromptAsync(TestBox.NewMessage());
        await Box.Host.EventAsync(EventKinds.MessageEnded);
        Box.Parts!.EndProcesses = () =>
        {
            ended++;
            return Task.CompletedTask;
        };

        for (var look = 1; look <= 3; look++) Box.Parts.Orders.StopGrowth(look << 20);

        var verdict = await Box.EndAsync();
        Assert.Equal((BridgeVerdict.NoDisk, 2), (verdict, ended));
        var told = await Box.Host.EventAsync(EventKinds.AgentFailed);
        Assert.Equal("disk_full", told.GetProperty("code").GetString());
        Assert.Contains("3 MiB", told.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Contains("ending: its workspace grows on", Box.Log.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(410)]
    public async Task A_box_that_is_not_wanted_ends_itself(int status)
    {
        Box.Host.Refuse = status;
        await Box.StartAsync();

        Assert.Equal(BridgeVerdict.Refused, await Box.EndAsync());
    }

    [Fact]
    public async Task Close_code_4410_is_final()
    {
        await Box.StartAsync();
        await Box.Host.EventAsync("boot.ready");

        await Box.Host.CloseAsync(4410);

        Assert.Equal(BridgeVerdict.Refused, await Box.EndAsync());
    }
}

/// <summary>An agent that is given answers to its questions and takes none of them.</summary>
public class DeafAgent : DispatchProxy
{
    private IAgentRuntime inner = null!;
    private TaskCompletionSource held = null!;

    /// <param name="agent">What it is but for that.</param>
    /// <param name="held">Completes once it was given one.</param>
    public static IAgentRuntime Over(IAgentRuntime agent, TaskCompletionSource held)
    {
        var proxy = Create<IAgentRuntime, DeafAgent>();
        (((DeafAgent)(object)proxy).inner, ((DeafAgent)(object)proxy).held) = (agent, held);
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        if (targetMethod!.Name != nameof(IAgentRuntime.AnswerPermissionAsync)) return targetMethod.Invoke(inner, args);
        held.TrySetResult();
        return new ValueTask(Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, (CancellationToken)args![^1]!));
    }
}
