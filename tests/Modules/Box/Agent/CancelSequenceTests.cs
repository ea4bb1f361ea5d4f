using System.Diagnostics;
using System.Runtime.CompilerServices;
using Coordinator.Ports.Compute;
using Coordinator.Sandbox;
using Coordinator.Sandbox.Agent;
using Coordinator.Sandbox.Processes;
using Xunit;

namespace Coordinator.Tests.Modules.Box.Agent;

/// <summary>Cancels real processes below a shell that plays the agent.</summary>
public sealed class CancelSequenceTests : IDisposable
{
    private readonly Process agent = Process.Start(new ProcessStartInfo("/bin/sh") { RedirectStandardInput = true, RedirectStandardOutput = true })!;
    private readonly TaskCompletionSource turn = new();

    public void Dispose()
    {
        agent.Kill(entireProcessTree: true);
        agent.Dispose();
    }

    [Theory]
    [InlineData("sleep 300")]
    [InlineData("sh -c 'sleep 300; sleep 300'")]
    [InlineData("sh -c 'trap \"\" INT; sleep 300 & wait; sleep 300'")]
    public async Task A_tool_that_sleeps_is_ended_whatever_the_agent_does(string command)
    {
        var tools = ToolProcesses.Before(agent.Id);
        await StartAsync($"{command} &");
        var started = tools.Started();
        Assert.NotEmpty(started);

        var cancelling = Sequence(tools, onCancel: () => { }).RunAsync(turn.Task, CancellationToken.None);
        await GoneAsync(started);

        turn.SetResult();
        Assert.True(await cancelling);
    }

    [Fact]
    public void The_last_resort_comes_within_a_second() => Assert.True(CancelSequence.Longest < TimeSpan.FromSeconds(1));

    [Fact]
    public async Task What_ran_before_the_turn_is_spared()
    {
        await StartAsync("sleep 300 &");
        var server = ProcessTable.Descendants(ProcessTable.Read(), agent.Id);
        var tools = ToolProcesses.Before(agent.Id);
        await StartAsync("sleep 300 &");
        var started = tools.Started();

        await Sequence(tools, onCancel: turn.SetResult).RunAsync(turn.Task, CancellationToken.None);

        Assert.False(ToolProcesses.AnyLives(started));
        Assert.True(ToolProcesses.AnyLives(server.ToArray()));
    }

    [Fact]
    public async Task An_agent_that_does_not_let_go_is_reported()
    {
        Assert.False(await Sequence(ToolProcesses.Before(agent.Id), onCancel: () => { }).RunAsync(turn.Task, CancellationToken.None));
    }

    private static CancelSequence Sequence(ToolProcesses tools, Action onCancel) => new(new Agent(onCancel), tools, TimeProvider.System, new BoxLog(TextWriter.Null, TimeProvider.System));

    /// <summary>Gives the shell a command and waits until it has begun.</summary>
    private async Task StartAsync(string command)
    {
        await agent.StandardInput.WriteLineAsync($"{command}\necho begun");
        await agent.StandardInput.FlushAsync();
        Assert.Equal("begun", await agent.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(10)));
    }

    private static async Task GoneAsync(IReadOnlyList<ProcessId> processes)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        while (ToolProcesses.AnyLives(processes.ToArray())) await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, timeout.Token);
    }

    private sealed class Agent(Action onCancel) : IAgentRuntime
    {
        public string Name => "shell";

        public Task<AgentExit> Exited => new TaskCompletionSource<AgentExit>().Task;

        public int ProcessId => 0;

        public ValueTask<AgentInfo> StartAsync(AgentLaunch launch, CancellationToken cancellationToken) => new(new AgentInfo(Name, "1"));

        public ValueTask<AgentConversation> OpenAsync(string? resumeId, CancellationToken cancellationToken) => new(new AgentConversation("c", false));

        public async IAsyncEnumerable<AgentUpdate> PromptAsync(AgentPrompt prompt, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await Task.CompletedTask;
            yield break;
        }

        public ValueTask CancelAsync(CancellationToken cancellationToken)
        {
            onCancel();
            return ValueTask.CompletedTask;
        }

        public ValueTask AnswerPermissionAsync(string permissionId, bool allow, string? note, CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
