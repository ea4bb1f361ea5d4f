using System.Diagnostics.CodeAnalysis;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Sandbox.Boot;
using Coordinator.Sandbox.Storage;

namespace Coordinator.Sandbox.Agent;

/// <summary>
/// Keeps one agent process ready and its conversation the session's: starts it, starts it anew after a crash, and
/// remembers the conversation's id, so that the next process, in this box or the session's next one, goes on with it.
/// Used by one caller at a time.
/// </summary>
internal sealed class AgentHost(NewRuntime newRuntime, AgentLaunch launch, BoxState state, BoxLog log) : IAsyncDisposable
{
    private static readonly TimeSpan DisposeTimeout = TimeSpan.FromSeconds(5);

    private IAgentRuntime? runtime;
    private AgentConversation? conversation;
    private AgentInfo? info;
    private bool historyTold;

    /// <summary>The running agent; only after <see cref="EnsureStartedAsync"/> succeeded.</summary>
    public IAgentRuntime Runtime => runtime ?? throw new InvalidOperationException("The agent has not been started.");

    private string ConversationNote => $"conversation-{Runtime.Name}";

    /// <summary>The agent, started if it does not run. Problem: <c>agent_start_failed</c>.</summary>
    public async Task<Result<StartedAgent>> EnsureStartedAsync(CancellationToken cancellationToken)
    {
        if (runtime is { Exited.IsCompleted: true } ended)
        {
            log.AgentEnded((await ended.Exited).ExitCode);
            await DropAsync();
        }

        if (IsReady(out var ready)) return ready;
        try
        {
            runtime = newRuntime();
            info = await runtime.StartAsync(launch, cancellationToken);
            conversation = await runtime.OpenAsync(state.Read(ConversationNote), cancellationToken);
            historyTold = conversation.Resumed;
            state.Write(ConversationNote, conversation.Id);
            return new StartedAgent(info, conversation.Resumed);
        }
        catch (PortException exception)
        {
            await DropAsync();
            return BootProblems.AgentStartFailed(exception.Message);
        }
        catch (OperationCanceledException)
        {
            await DropAsync();
            throw;
        }
    }

    /// <summary>The history for the next prompt: only for a conversation that was never told anything.</summary>
    public string? TakeHistory(string? history)
    {
        var told = historyTold;
        historyTold = true;
        return told ? null : history;
    }

    /// <summary>Ends the process; the next <see cref="EnsureStartedAsync"/> starts another.</summary>
    public async Task DropAsync()
    {
        var dropped = Interlocked.Exchange(ref runtime, null);
        (conversation, info) = (null, null);
        if (dropped is null) return;
        try
        {
            await dropped.DisposeAsync().AsTask().WaitAsync(DisposeTimeout);
        }
        catch (TimeoutException)
        {
            log.AgentNotResponding("it does not end when it is told to");
        }
    }

    public async ValueTask DisposeAsync() => await DropAsync();

    private bool IsReady([NotNullWhen(true)] out StartedAgent? ready)
    {
        ready = runtime is not null && info is not null && conversation is not null ? new StartedAgent(info, conversation.Resumed) : null;
        return ready is not null;
    }
}
