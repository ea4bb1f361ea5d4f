using Coordinator.Modules.Sessions.Facts;
using Coordinator.Modules.Sessions.State;

namespace Coordinator.Modules.Sessions.Decisions;

/// <summary>
/// One row of the table of deadlines: a non-terminal state, when it has lasted too long, and what then happens.
/// <see cref="Expire"/> null: the time only wakes the session, and <see cref="Reconciler"/> asks for what is wanted.
/// </summary>
public sealed record Deadline(string Name, Func<SessionState, SessionLimits, DateTimeOffset?> Due, Action<Turn>? Expire);

/// <summary>Every deadline there is. No state can wait for ever: each non-terminal one stands here.</summary>
public static class Deadlines
{
    public static IReadOnlyList<Deadline> Table { get; } =
    [
        new("sandbox requested: create again", (s, _) => s.Sandbox is { Phase: SandboxPhase.Requested } b ? b.CreateNotBefore : null, null),
        new("sandbox requested: give up", (s, l) => Phase(s, SandboxPhase.Requested, l.SandboxCreate), turn =>
            Endings.FailBoot(turn, "sandbox_unavailable", "The sandbox provider did not make a box in time.", retryable: true)),
        new("sandbox booting", (s, l) => Phase(s, SandboxPhase.Booting, l.SandboxConnect), turn =>
            Endings.FailBoot(turn, "boot_timeout", "The box was made and did not call back in time.", retryable: true)),
        new("sandbox connected", (s, l) => Phase(s, SandboxPhase.Connected, l.SandboxBoot), turn =>
            Endings.FailBoot(turn, "boot_timeout", "Clone, install and agent start did not end in time.", retryable: true)),
        new("sandbox silent", (s, l) => Phase(s, SandboxPhase.Silent, l.SandboxGiveUp), turn =>
            Endings.LoseSandbox(turn, SandboxReasons.Unreachable, "Nothing was heard of the box.")),
        new("sandbox idle", Idle, turn => Endings.StopSandbox(turn, SandboxReasons.Idle, null, keepData: true)),
        new("sandbox to destroy", (s, l) => MustDestroy(s) ? s.Sandbox.DestroyNotBefore ?? s.LastAt + l.CrashCheck : null, null),
        new("message queued behind a box that cannot be ended", Stuck, turn =>
        {
            foreach (var message in turn.State.Open) Endings.Failed(turn, message, "sandbox_unavailable", "The session's last box could not be ended, so no new one was made.", retryable: true);
        }),
        new("message dispatched", (s, l) => s.Running is { Status: MessageStatus.Dispatched } m && s.Sandbox.Phase == SandboxPhase.Ready ? m.DispatchedAt + l.MessageStart : null, turn =>
            Endings.StopSandbox(turn, SandboxReasons.AgentFailed, "The box did not take the message in time.", keepData: true)),
        new("message running", (s, l) => s.Running is { Status: MessageStatus.Running, CancellingAt: null } m ? m.StartedAt + l.MessageTurn : null, turn =>
            CancelDecisions.Ask(turn, turn.State.Running!, CancelReason.Deadline, null)),
        new("message cancelling", (s, l) => s.Running is { CancellingAt: { } at } ? at + l.MessageCancel : null, turn =>
            Endings.StopSandbox(turn, SandboxReasons.Cancelled, "The agent did not stop when asked, so its box was ended.", keepData: true)),
        new("permission open", (s, _) => s.Permissions.Values.Where(q => q.Decision is null).Select(q => (DateTimeOffset?)q.ExpiresAt).Min(), turn =>
        {
            foreach (var question in turn.State.Permissions.Values.Where(q => q.Decision is null && q.ExpiresAt <= turn.Now)) PermissionDecisions.Expire(turn, question);
        }),
        new("run to flush", (s, l) => s.Outbox.IsEmpty ? null : s.FlushNotBefore ?? s.LastAt + l.CrashCheck, null),
        new("work under way", UnderWay, null),
    ];

    /// <summary>The earliest of all; null: the session needs no wake-up.</summary>
    public static DateTimeOffset? Next(SessionState state, SessionLimits limits) => Table.Min(row => row.Due(state, limits));

    /// <summary>Plays every row that is due, until none is.</summary>
    public static void Play(Turn turn)
    {
        foreach (var row in Table)
            if (row.Expire is not null && row.Due(turn.State, turn.Limits) <= turn.Now) row.Expire(turn);
    }

    /// <summary>A box of the past must be ended, or its kept data released because nobody can want it any more.</summary>
    internal static bool MustDestroy(SessionState state)
    {
        var box = state.Sandbox;
        if (box.Phase is SandboxPhase.Stopping or SandboxPhase.Lost && box.MustDestroy) return true;
        return state.Status == SessionStatus.Archived && !box.IsLive && box.HasData;
    }

    private static DateTimeOffset? Phase(SessionState state, SandboxPhase phase, TimeSpan limit) =>
        state.Sandbox.Phase == phase ? (phase == SandboxPhase.Requested ? state.Sandbox.RequestedAt : state.Sandbox.Since) + limit : null;

    /// <summary>Idle means that nothing runs and nothing waits; silence is not idleness.</summary>
    private static DateTimeOffset? Idle(SessionState state, SessionLimits limits) =>
        state.Sandbox.Phase == SandboxPhase.Ready && state.Open.IsEmpty ? state.Sandbox.IdleSince + limits.SandboxIdle : null;

    private static DateTimeOffset? Stuck(SessionState state, SessionLimits limits)
    {
        if (state.QueuedCount == 0 || state.Sandbox.IsLive || !state.Sandbox.MustDestroy) return null;
        var since = state.Open[0].QueuedAt > state.Sandbox.Since ? state.Open[0].QueuedAt : state.Sandbox.Since;
        return since + limits.SandboxGiveUp;
    }

    /// <summary>
    /// While something of the session goes on outside of it, it is looked at again soon, whichever host died meanwhile:
    /// soon when this host does the work, later when a box does and reports by itself.
    /// </summary>
    private static DateTimeOffset? UnderWay(SessionState state, SessionLimits limits)
    {
        if (state.Sandbox.Phase == SandboxPhase.Requested) return state.LastAt + limits.CrashCheck;
        if (!state.Open.IsEmpty) return state.LastAt + limits.TurnCheck;
        return null;
    }
}
