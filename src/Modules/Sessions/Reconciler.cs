using Coordinator.Modules.Sessions.Decisions;
using Coordinator.Modules.Sessions.State;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.Sessions;

/// <summary>
/// <c>Reconcile(state, now) -> effects wanted right now</c>: pure, idempotent, keyed. Nothing is remembered as "to do";
/// after a crash the journal is folded and this asks again.
/// </summary>
public static class Reconciler
{
    /// <summary>Slow work that the committed state wants, each under a key that names it for ever.</summary>
    public static IEnumerable<(string Key, SessionEffect Effect)> Effects(SessionState state, DateTimeOffset now)
    {
        var box = state.Sandbox;
        if (box.WantsHandle && !(box.CreateNotBefore > now))
            yield return ($"create:{box.Id}", new SessionEffect.CreateSandbox(box.Id, box.Generation, state.Settings!, box.Node, box.Home, box.TokenHash));
        if (Deadlines.MustDestroy(state) && !(box.DestroyNotBefore > now))
        {
            var keep = box.KeepData && state.Status != SessionStatus.Archived;
            yield return ($"destroy:{box.Id}:{(keep ? "keep" : "purge")}", new SessionEffect.DestroySandbox(box.Id, box.Generation, box.Handle, keep));
        }

        if (!state.Outbox.IsEmpty && !(state.FlushNotBefore > now))
            yield return ($"flush:{state.Outbox[0].Id}", new SessionEffect.FlushRun(state.Outbox[0]));
        if (state.Refused.Find(r => r.NotBefore <= now) is { } refused)
            yield return ($"flush:{refused.Run.Id}", new SessionEffect.FlushRun(refused.Run, WasRefused: true));
    }

    /// <summary>Frames that the box must get, by a key that a link remembers while it lives; resent on every new link until an event confirms them.</summary>
    /// <param name="state">What is durable.</param>
    /// <param name="atWork">
    /// What the box works on. What of it the session does not know, because a restore lost it, or knows to be over is cancelled, and the box
    /// has no hands for another prompt until it has said that it ended.
    /// </param>
    public static IEnumerable<(string Key, HostFrame Frame)> Frames(SessionState state, IReadOnlySet<MessageId> atWork)
    {
        var isFree = true;
        foreach (var message in atWork)
        {
            if (state.Open.Exists(open => open.Id == message)) continue;
            isFree = false;
            yield return ($"cancel:{message}", new HostFrame.Cancel($"cancel:{message}", message));
        }

        if (state.Running is { } running && state.Sandbox.Phase == SandboxPhase.Ready)
        {
            if (running.Status == MessageStatus.Dispatched && isFree)
                yield return ($"prompt:{running.Id}", new HostFrame.Prompt($"prompt:{running.Id}", running.Id, running.Text, running.Model, state.Settings!.Agent, running.SeedHistory));
            if (running.CancellingAt is not null)
                yield return ($"cancel:{running.Id}", new HostFrame.Cancel($"cancel:{running.Id}", running.Id));
        }

        foreach (var question in state.Permissions.Values)
        {
            if (question.Decision is { } decision)
                yield return ($"permission:{question.Id}", new HostFrame.Permission($"permission:{question.Id}", question.Id, decision, question.Note));
        }

        if (state.Sandbox.Phase == SandboxPhase.Stopping)
            yield return ("shutdown", new HostFrame.Shutdown("shutdown", state.Sandbox.Reason ?? "stopping"));
    }
}
