using Coordinator.Modules.Sessions.Facts;
using Coordinator.Modules.Sessions.State;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.Sessions.Decisions;

/// <summary>What the outcome of slow work does to the session. An outcome that nothing waits for any more changes nothing.</summary>
internal static class EffectDecisions
{
    public static void Settle(Turn turn, SessionEffect effect, EffectOutcome outcome)
    {
        switch (effect)
        {
            case SessionEffect.CreateSandbox create:
                Created(turn, create, outcome);
                break;
            case SessionEffect.InspectSandbox inspect:
                Inspected(turn, inspect, outcome);
                break;
            case SessionEffect.DestroySandbox destroy:
                Destroyed(turn, destroy, outcome);
                break;
            case SessionEffect.FlushRun flush:
                Flushed(turn, flush, outcome);
                break;
        }
    }

    private static void Created(Turn turn, SessionEffect.CreateSandbox create, EffectOutcome outcome)
    {
        var box = turn.State.Sandbox;
        if (box.Id != create.Sandbox || box.Handle is not null) return;
        switch (outcome)
        {
            case EffectOutcome.SandboxPlaced placed when box.IsLive:
                turn.Record(new Fact.SandboxPlaced(placed.Node, turn.Now));
                break;
            case EffectOutcome.SandboxCreated made:
                turn.Record(new Fact.SandboxCreated(made.Handle, turn.Now));
                if (box.Phase is not (SandboxPhase.Requested or SandboxPhase.Connected)) break;
                var elapsed = (long)(turn.Now - box.RequestedAt).TotalMilliseconds;
                turn.Show("sandbox.booting", null, json =>
                {
                    json.WriteString("phase", "create");
                    json.WriteString("status", "completed");
                    json.WriteNumber("elapsedMs", elapsed);
                });
                break;
            case EffectOutcome.Failed failed when box.Phase == SandboxPhase.Requested && !failed.Retryable:
                Endings.FailBoot(turn, failed.Problem.Code, failed.Problem.Detail, retryable: false);
                break;
            case EffectOutcome.Failed failed when box.IsLive:
                turn.Record(new Fact.SandboxCreateFailed(turn.Now + SessionLimits.Backoff(box.CreateFailures + 1), failed.Problem.Code, failed.Problem.Detail, failed.PlaceIsFree));
                if (box.Phase == SandboxPhase.Requested && box.CreateFailureCode != failed.Problem.Code) ShowWaiting(turn, failed.Problem);
                break;
        }
    }

    /// <summary>Says why no box comes, once for each reason and not for each try.</summary>
    private static void ShowWaiting(Turn turn, Problem problem) => turn.Show("sandbox.booting", null, json =>
    {
        json.WriteString("phase", "create");
        json.WriteString("status", "progress");
        json.WriteString("code", problem.Code);
        json.WriteString("detail", problem.Detail);
    });

    private static void Inspected(Turn turn, SessionEffect.InspectSandbox inspect, EffectOutcome outcome)
    {
        if (outcome is not EffectOutcome.SandboxInspected seen || !turn.State.Sandbox.IsLive || turn.State.Sandbox.Handle != inspect.Handle) return;
        if (seen.Status is SandboxStatus.NotFound) Endings.LoseSandbox(turn, SandboxReasons.NotFound, seen.Detail);
        else if (seen.Status is SandboxStatus.Stopped) Endings.LoseSandbox(turn, seen.Detail == "out_of_memory" ? SandboxReasons.OutOfMemory : SandboxReasons.Exited, seen.Detail);
    }

    private static void Destroyed(Turn turn, SessionEffect.DestroySandbox destroy, EffectOutcome outcome)
    {
        var box = turn.State.Sandbox;
        if (box.Id != destroy.Sandbox) return;
        if (outcome is EffectOutcome.Failed)
        {
            turn.Record(new Fact.SandboxDestroyFailed(turn.Now + SessionLimits.Backoff(box.DestroyFailures + 1)));
            return;
        }

        var wasStopping = box.Phase == SandboxPhase.Stopping;
        turn.Record(new Fact.SandboxDestroyed(destroy.KeepData, turn.Now));
        if (!wasStopping) return;
        turn.Show("sandbox.stopped", null, json =>
        {
            json.WriteString("sandboxId", box.Id.ToString());
            json.WriteString("reason", box.Reason);
            if (box.Detail is not null) json.WriteString("detail", box.Detail);
        });
    }

    private static void Flushed(Turn turn, SessionEffect.FlushRun flush, EffectOutcome outcome)
    {
        var wasRefused = turn.State.Refused.Exists(r => r.Run.Id == flush.Run.Id);
        if (!wasRefused && !turn.State.Outbox.Exists(r => r.Id == flush.Run.Id)) return;
        if (outcome is EffectOutcome.Failed failed)
        {
            var soon = turn.Now + SessionLimits.Backoff(turn.State.FlushFailures + 1);
            turn.Record(wasRefused || !failed.Retryable
                ? new Fact.RunFlushFailed(soon, flush.Run.Id, turn.Now + turn.Limits.RunRefused)
                : new Fact.RunFlushFailed(soon));
            return;
        }

        turn.Record(new Fact.RunFlushed(flush.Run.Id));
        turn.Show("run.flushed", flush.Run.Message, json =>
        {
            json.WriteString("runId", flush.Run.Id.ToString());
            json.WriteString("outcome", flush.Run.Outcome);
        });
    }
}
