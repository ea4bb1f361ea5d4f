using System.Runtime.CompilerServices;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Sandbox;
using Coordinator.Sandbox.Agent;
using Coordinator.Sandbox.Bridge;
using Coordinator.Sandbox.Commands;
using Coordinator.Sandbox.Configuration;
using Coordinator.Sandbox.Events;
using Coordinator.Sandbox.Storage;
using Xunit;

namespace Coordinator.Tests.Modules.Box.Agent;

/// <summary>A cancel in the moment a turn begins, of an agent that as the real ones hears none before its turn's first step.</summary>
public sealed class TurnBeginTests : IAsyncLifetime
{
    private static readonly AgentModel Model = new("demo", "scripted", ModelWire.OpenAiChat, 1000, 100);

    private readonly TempFolder folder = new();
    private readonly StringWriter said = new();
    private readonly Agent agent = new();
    private BoxState state = null!;
    private BoxParts parts = null!;
    private AgentHost host = null!;
    private Turn turn = null!;

    public Task InitializeAsync()
    {
        var sandbox = SandboxId.New(TimeProvider.System);
        var configuration = new BoxConfiguration
        {
            Endpoint = $"unix:{folder["h.sock"]}",
            Token = "sb_org.ses.box.1.canary-secret",
            Sandbox = sandbox,
            Generation = 1,
            Workspace = folder["workspace"],
            Home = folder["home"],
            State = folder["home/.coordinator"],
            Agents = new Dictionary<string, string>(),
        };
        state = BoxState.TryOpen(configuration.State, sandbox.ToString(), 1)!;
        parts = new BoxParts(configuration, state, TimeProvider.System, new BoxLog(said, TimeProvider.System));
        var launch = new AgentLaunch("/scripted", configuration.Workspace, configuration.Home, new Dictionary<string, string>(), new Uri("http://127.0.0.1:1/"), Model, AskPermissions: false, TimeSpan.FromSeconds(10));
        host = new AgentHost(() => agent, launch, state, parts.Log);
        var services = new TurnServices(parts.Identity, host, parts.Bridge, parts.Lifecycle, parts.Redactor, parts.Artifacts, () => 0, HangWatch.DefaultLimit, TimeProvider.System, parts.Log);
        turn = new Turn(new PromptRequest(MessageId.New(TimeProvider.System), "do it", Model, "what was said before"), services);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await host.DisposeAsync();
        await parts.DisposeAsync();
        state.Dispose();
        folder.Dispose();
    }

    [Fact]
    public async Task A_turn_that_is_cancelled_just_before_its_prompt_never_prompts()
    {
        agent.Looked = turn.Cancel;

        await RunAsync();

        AssertNotPrompted();
        Assert.Contains("Cancelled", said.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_turn_that_is_failed_just_before_its_prompt_never_prompts_and_tells_why_it_failed()
    {
        agent.Looked = () => turn.Fail(MessageEnd.Failed("disk_full", "It is full."));

        await RunAsync();

        AssertNotPrompted();
        Assert.Contains("Failed", said.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_turn_that_is_cancelled_while_it_waits_for_room_ends_at_once_and_never_prompts()
    {
        var full = new BoxEvent(EventKinds.BootPhase, null, System.Text.Encoding.ASCII.GetBytes($$"""{"x":"{{new string('x', 60 * 1024)}}"}"""));
        while (parts.Bridge.WaitForRoomAsync(CancellationToken.None).AsTask().IsCompleted) parts.Bridge.Emit(full);
        var began = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        agent.Looked = began.SetResult;

        var running = RunAsync();
        await began.Task;
        turn.Cancel();
        await running;

        AssertNotPrompted();
        Assert.Contains("Cancelled", said.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cancel_between_the_last_look_and_the_agents_first_step_is_heard()
    {
        agent.Prompting = () =>
        {
            turn.Cancel();
            agent.Asked.Wait(TimeSpan.FromMilliseconds(200)); // which would be too early
        };

        await RunAsync();

        Assert.False(agent.IsDropped);
        Assert.Contains("Cancelled", said.ToString(), StringComparison.Ordinal);
    }

    private async Task RunAsync() => await turn.RunAsync(Task.FromResult<Problem?>(null), CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60));

    /// <summary>The agent lives on, knows nothing of the turn, and is told the history by the next one.</summary>
    private void AssertNotPrompted()
    {
        Assert.Equal((0, false), (agent.Prompts, agent.IsDropped));
        Assert.Equal("what was said before", host.TakeHistory("what was said before"));
    }

    private sealed class Agent : IAgentRuntime
    {
        private readonly TaskCompletionSource<AgentExit> exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private TaskCompletionSource? cancelled;

        /// <summary>Called when the turn looks what runs before it.</summary>
        public Action Looked { get; set; } = static () => { };

        /// <summary>Called when the agent is prompted, before its first step.</summary>
        public Action Prompting { get; set; } = static () => { };

        public ManualResetEventSlim Asked { get; } = new();

        public int Prompts { get; private set; }

        public bool IsDropped { get; private set; }

        public string Name => "scripted";

        public Task<AgentExit> Exited => exited.Task;

        public int ProcessId
        {
            get
            {
                Looked();
                return 1;
            }
        }

        public ValueTask<AgentInfo> StartAsync(AgentLaunch launch, CancellationToken cancellationToken) => new(new AgentInfo(Name, "1"));

        public ValueTask<AgentConversation> OpenAsync(string? resumeId, CancellationToken cancellationToken) => new(new AgentConversation("c", Resumed: false));

        public IAsyncEnumerable<AgentUpdate> PromptAsync(AgentPrompt prompt, CancellationToken cancellationToken)
        {
            Prompting();
            return UpdatesAsync(cancellationToken);
        }

        public ValueTask CancelAsync(CancellationToken cancellationToken)
        {
            cancelled?.TrySetResult();
            Asked.Set();
            return ValueTask.CompletedTask;
        }

        public ValueTask AnswerPermissionAsync(string permissionId, bool allow, string? note, CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask DisposeAsync()
        {
            IsDropped = true;
            exited.TrySetResult(new AgentExit(0, ""));
            return ValueTask.CompletedTask;
        }

        private async IAsyncEnumerable<AgentUpdate> UpdatesAsync([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            Prompts++;
            cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
            await Task.WhenAny(cancelled.Task, exited.Task).WaitAsync(cancellationToken);
            yield return new AgentUpdate.TurnEnded(TurnOutcome.Cancelled, null, null, AgentTokens.None);
        }
    }
}
