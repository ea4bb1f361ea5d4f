using Coordinator.Modules.Sessions.State;

namespace Coordinator.Modules.Sessions.Decisions;

/// <summary>What the rows of <see cref="Deadlines"/> wait for. Null: not waited for now.</summary>
internal static class Waits
{
    public static Wait? Until(DateTimeOffset? at) => at is { } due ? new(due, TimeSpan.Zero) : null;

    public static Wait? In(SessionState state, SandboxPhase phase, TimeSpan limit) =>
        state.Sandbox.Phase == phase ? new(state.Sandbox.Since, limit) : null;

    public static Wait? CreateAgain(SessionState state) => state.Sandbox.WantsHandle ? Until(state.Sandbox.CreateNotBefore) : null;

    /// <summary>From its request to a ready agent, however often it fell silent and was heard again on the way.</summary>
    public static Wait? Ready(SessionState state, SessionLimits limits)
    {
        var box = state.Sandbox;
        return box.IsLive && box.Phase != SandboxPhase.Ready && !(box.Phase == SandboxPhase.Silent && box.BeforeSilence == SandboxPhase.Ready)
            ? new(box.RequestedAt, limits.SandboxStart)
            : null;
    }

    /// <summary>Idle means that nothing runs and nothing waits; silence is not idleness.</summary>
    public static Wait? Idle(SessionState state, SessionLimits limits) =>
        state.Sandbox.Phase == SandboxPhase.Ready && state.Open.IsEmpty ? new(state.Sandbox.IdleSince, limits.SandboxIdle) : null;

    public static Wait? BehindOldBox(SessionState state, SessionLimits limits) =>
        state.QueuedCount > 0 && !state.Sandbox.IsLive && state.Sandbox.MustDestroy
            ? new(Deadline.Later(state.Open[0].QueuedAt, state.Sandbox.Since), limits.SandboxGiveUp)
            : null;

    /// <summary>A box that was silent when the message was for it can take it only since it is heard again.</summary>
    public static Wait? ToBeTaken(SessionState state, SessionLimits limits) =>
        state.Running is { Status: MessageStatus.Dispatched, DispatchedAt: { } at } && state.Sandbox.Phase == SandboxPhase.Ready
            ? new(Deadline.Later(at, state.Sandbox.Since), limits.MessageStart)
            : null;

    /// <summary>So many times only: a session that is never asleep is never made smaller either.</summary>
    public static Wait? OfferedAgain(SessionState state, SessionLimits limits) =>
        Until(state.Refused.Where(r => r.Times < limits.RefusedWakes).Select(r => (DateTimeOffset?)r.NotBefore).Min());

    /// <summary>
    /// While something of the session goes on outside of it, it is looked at again soon, whichever host died meanwhile:
    /// soon when this host does the work, later when a box does and reports by itself.
    /// </summary>
    public static Wait? UnderWay(SessionState state, SessionLimits limits)
    {
        if (state.Sandbox.WantsHandle) return new(state.LastAt, limits.CrashCheck);
        return state.Open.IsEmpty ? null : new(Ceiling(state.LastAt, limits.TurnCheck / 4), limits.TurnCheck);
    }

    /// <summary>In steps, so that the wake-up stays as it is from append to append: a head whose wake-up moves costs the journal three index entries each time.</summary>
    private static DateTimeOffset Ceiling(DateTimeOffset at, TimeSpan step)
    {
        var beyond = at.UtcTicks % step.Ticks;
        return beyond == 0 ? at : at.AddTicks(step.Ticks - beyond);
    }
}
