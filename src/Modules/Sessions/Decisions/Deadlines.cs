using Coordinator.Modules.Sessions.Facts;
using Coordinator.Modules.Sessions.State;
using static Coordinator.Modules.Sessions.Decisions.DeadlineKind;

namespace Coordinator.Modules.Sessions.Decisions;

/// <summary>Every deadline there is. No state can wait for ever: each non-terminal one stands here.</summary>
public static class Deadlines
{
    public static IReadOnlyList<Deadline> Table { get; } =
    [
        new("sandbox to be created again", Ours, (s, _) => Waits.CreateAgain(s), null),
        new("sandbox requested", Theirs, (s, l) => Waits.In(s, SandboxPhase.Requested, l.SandboxCreate), turn =>
            Endings.FailBoot(turn, turn.State.Sandbox.CreateFailureCode ?? "sandbox_unavailable", turn.State.Sandbox.CreateFailureDetail ?? "The sandbox provider did not make a box in time.", retryable: true)),
        new("sandbox booting", Theirs, (s, l) => Waits.In(s, SandboxPhase.Booting, l.SandboxConnect), turn =>
            Endings.FailBoot(turn, "boot_timeout", "The box was made and did not call back in time.", retryable: true)),
        new("sandbox connected", Theirs, (s, l) => Waits.In(s, SandboxPhase.Connected, l.SandboxBoot), turn =>
            Endings.FailBoot(turn, "boot_timeout", "Clone, install and agent start did not end in time.", retryable: true)),
        new("sandbox not ready", Theirs, (s, l) => Waits.Ready(s, l), turn =>
            Endings.FailBoot(turn, "boot_timeout", "The box came and went and did not become ready in time.", retryable: true)),
        new("sandbox silent", Theirs, (s, l) => Waits.In(s, SandboxPhase.Silent, l.SandboxGiveUp), turn =>
            Endings.LoseSandbox(turn, SandboxReasons.Unreachable, "Nothing was heard of the box.")),
        new("sandbox idle", Ours, (s, l) => Waits.Idle(s, l), turn => Endings.StopSandbox(turn, SandboxReasons.Idle, null, keepData: true)),
        new("sandbox to destroy", Ours, (s, l) => !MustDestroy(s) ? null : Waits.Until(s.Sandbox.DestroyNotBefore ?? s.LastAt + l.CrashCheck), null),
        new("message queued behind a box that cannot be ended", Theirs, (s, l) => Waits.BehindOldBox(s, l), turn =>
        {
            foreach (var message in turn.State.Open) Endings.Failed(turn, message, "sandbox_unavailable", "The session's last box could not be ended, so no new one was made.", retryable: true);
        }),
        new("message dispatched", Theirs, (s, l) => Waits.ToBeTaken(s, l), turn =>
            Endings.StopSandbox(turn, SandboxReasons.AgentFailed, "The box did not take the message in time.", keepData: true)),
        new("message running", Ours, (s, l) => s.Running is { CancellingAt: null } m ? new(m.StartedAt ?? m.DispatchedAt!.Value, l.MessageTurn) : null, turn =>
            CancelDecisions.Ask(turn, turn.State.Running!, CancelReason.Deadline, null)),
        new("message cancelling", Theirs, (s, l) => s.Running is { CancellingAt: { } at } ? new(at, l.MessageCancel) : null, turn =>
            Endings.StopSandbox(turn, SandboxReasons.Cancelled, "The agent did not stop when asked, so its box was ended.", keepData: true)),
        new("permission open", Ours, (s, _) => Waits.Until(s.Permissions.IsEmpty ? null : s.Permissions.Values.Where(q => q.Decision is null).Select(q => (DateTimeOffset?)q.ExpiresAt).Min()), turn =>
        {
            foreach (var question in turn.State.Permissions.Values.Where(q => q.Decision is null && q.ExpiresAt <= turn.Now)) PermissionDecisions.Expire(turn, question);
        }),
        new("run to flush", Ours, (s, l) => s.Outbox.IsEmpty ? null : Waits.Until(s.FlushNotBefore ?? s.LastAt + l.CrashCheck), null),
        new("run that was refused", Ours, (s, l) => s.Refused.IsEmpty ? null : Waits.OfferedAgain(s, l), null),
        new("work under way", Ours, (s, l) => Waits.UnderWay(s, l), null),
    ];

    /// <summary>The earliest of all, as the journal knows it; null: the session needs no wake-up.</summary>
    public static DateTimeOffset? Next(SessionState state, SessionLimits limits) => Table.Min(row => row.Due(state, limits));

    /// <summary>
    /// This side is back. What a box or provider must do is waited for anew, because meanwhile it had nobody to do it
    /// for; but only so many times, so that a host that falls again and again does not make a session wait for ever. A grace
    /// is one for all rows: when one has had its graces, a younger one, which a box that comes and goes begins again and
    /// again, brings it no more.
    /// </summary>
    public static void GiveGrace(Turn turn)
    {
        if (Table.Any(row => row.HasHadItsGraces(turn.State, turn.Limits))) return;
        if (Table.Any(row => row.DeservesGrace(turn.State, turn.Limits, turn.Now))) turn.Record(new Fact.GraceGiven(turn.Now));
    }

    /// <summary>Plays every row that is due, until none is.</summary>
    public static void Play(Turn turn, DateTimeOffset? attachedAt = null)
    {
        foreach (var row in Table)
            if (row.Expire is not null && row.Due(turn.State, turn.Limits, attachedAt) <= turn.Now) row.Expire(turn);
    }

    /// <summary>A box of the past must be ended, or its kept data released because nobody can want it any more.</summary>
    internal static bool MustDestroy(SessionState state)
    {
        var box = state.Sandbox;
        if (box.Phase is SandboxPhase.Stopping or SandboxPhase.Lost && box.MustDestroy) return true;
        return state.Status == SessionStatus.Archived && !box.IsLive && box.HasData;
    }
}
