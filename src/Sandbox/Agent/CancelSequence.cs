using Coordinator.Ports.Compute;
using Coordinator.Sandbox.Processes;

namespace Coordinator.Sandbox.Agent;

/// <summary>
/// Stops a turn: asks the agent, then interrupts what its tools started, then harder, then ends the agent itself.
/// A command that sleeps for minutes is gone within a second.
/// </summary>
internal sealed class CancelSequence(IAgentRuntime agent, ToolProcesses tools, TimeProvider time, BoxLog log)
{
    private static readonly TimeSpan AgentGrace = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan AgentAnswer = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);
    private static readonly (Signal Signal, TimeSpan Grace)[] Steps =
    [
        (Signal.Interrupt, TimeSpan.FromMilliseconds(250)),
        (Signal.Terminate, TimeSpan.FromMilliseconds(200)),
        (Signal.Kill, TimeSpan.FromMilliseconds(2_500)),
    ];

    /// <summary>How long the most stubborn tool lives after a cancel.</summary>
    public static TimeSpan Longest { get; } = AgentGrace + Steps.Where(step => step.Signal != Signal.Kill).Aggregate(TimeSpan.Zero, (sum, step) => sum + step.Grace);

    /// <summary>Returns true when the turn ended, false when the agent does not let go of it and must be ended.</summary>
    /// <param name="turn">Completes with the turn's last update.</param>
    public async Task<bool> RunAsync(Task turn, CancellationToken cancellationToken)
    {
        // What runs now is remembered: when the agent drops its tool, the tool's children are nobody's any more.
        var started = tools.Started();
        var asking = AskAsync(cancellationToken);
        await SettlesWithinAsync(turn, started, AgentGrace, cancellationToken);
        foreach (var (signal, grace) in Steps)
        {
            started = started.Union(tools.Started()).ToArray();
            if (turn.IsCompleted && !ToolProcesses.AnyLives(started)) break;
            ToolProcesses.SignalLiving(started, signal);
            await SettlesWithinAsync(turn, started, grace, cancellationToken);
        }

        await asking;
        return turn.IsCompleted;
    }

    private async Task AskAsync(CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(AgentAnswer, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            await agent.CancelAsync(either.Token);
        }
        catch (Exception exception) when (exception is Ports.PortException or OperationCanceledException)
        {
            log.AgentNotResponding($"cancel: {exception.Message}");
        }
    }

    /// <summary>Waits until the turn ended and nothing it started lives, within a bound.</summary>
    private async Task SettlesWithinAsync(Task turn, IReadOnlyList<ProcessId> started, TimeSpan grace, CancellationToken cancellationToken)
    {
        var since = time.GetTimestamp();
        while (time.GetElapsedTime(since) < grace && !(turn.IsCompleted && !ToolProcesses.AnyLives(started)))
        {
            await Task.Delay(Look, time, cancellationToken);
        }
    }
}
