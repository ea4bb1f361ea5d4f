using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Sandbox.Events;
using Coordinator.Sandbox.Storage;

namespace Coordinator.Sandbox.Boot;

/// <summary>Starts the agent, as the last phase of a boot sees it.</summary>
internal delegate Task<Result<StartedAgent>> StartAgent(CancellationToken cancellationToken);

/// <summary>An agent that takes prompts. <see cref="Resumed"/>: it remembers the conversation.</summary>
internal sealed record StartedAgent(AgentInfo Agent, bool Resumed);

/// <summary>
/// The phases of a boot, one after another, each reported with what it cost: clone, install, discover, agent. A failed
/// install or discovery is reported and passed over; a failed clone or agent ends the boot.
/// </summary>
internal sealed class BootSequence(BootPlan plan, BoxState state, StartAgent startAgent, IBoxEvents events, LifecycleEvents lifecycle, TimeProvider time, BoxLog log)
{
    /// <summary>Null when the box is ready; else why it is not, told already.</summary>
    public async Task<Problem?> RunAsync(CancellationToken cancellationToken)
    {
        var since = time.GetTimestamp();
        var files = new WorkspaceFiles(plan, time);
        var clone = await PhaseAsync("clone", progress => new CloneStep(plan, state, time).RunAsync(progress, cancellationToken));
        if (clone.Problem is { } notCloned) return Failed(notCloned);

        DetectedEnvironment? seen = null;
        var install = await PhaseAsync("install", async progress =>
        {
            seen = await files.DiscoverAsync(cancellationToken);
            return await new InstallStep(plan, state, time).RunAsync(seen, progress, cancellationToken);
        });
        // What was looked at to find the install command is still true when nothing was run.
        var isStillTrue = install.IsSuccess && install.Value.Skipped;
        await PhaseAsync("discover", async _ => Tell(isStillTrue ? seen! : await files.DiscoverAsync(cancellationToken)));

        StartedAgent? started = null;
        var agent = await PhaseAsync("agent", async _ =>
        {
            var result = await startAgent(cancellationToken);
            if (result.Problem is { } problem) return problem;
            started = result.Value;
            return PhaseResult.Done($"{started.Agent.Name} {started.Agent.Version}");
        });
        if (agent.Problem is { } notStarted) return Failed(plan.DiskIsFull.IsCancellationRequested ? BootProblems.DiskFull("The agent's start") : notStarted);

        events.Emit(LifecycleEvents.Ready(started!.Agent, started.Resumed, time.GetElapsedTime(since)));
        return null;
    }

    private PhaseResult Tell(DetectedEnvironment environment)
    {
        events.Emit(LifecycleEvents.Environment(environment));
        return PhaseResult.Done();
    }

    private async Task<Result<PhaseResult>> PhaseAsync(string phase, Func<Action<string>, Task<Result<PhaseResult>>> run)
    {
        var since = time.GetTimestamp();
        Report(new PhaseReport(phase, "started"));
        Result<PhaseResult> result;
        await using (var progress = new PhaseProgress(phase, events, lifecycle, time)) result = await run(progress.Add);

        var elapsed = time.GetElapsedTime(since);
        var status = result.Problem is not null ? "failed" : result.Value.Skipped ? "skipped" : "completed";
        Report(new PhaseReport(phase, status, elapsed, result.Problem?.Detail ?? result.Value.Detail));
        log.BootPhase(phase, status, (long)elapsed.TotalMilliseconds);
        return result;
    }

    private Problem Failed(Problem problem)
    {
        events.Emit(lifecycle.BootFailed(problem));
        return problem;
    }

    private void Report(PhaseReport report) => events.Emit(lifecycle.Phase(report));
}
