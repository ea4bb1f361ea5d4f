using Coordinator.Modules.Sessions.State;

namespace Coordinator.Modules.Sessions.Decisions;

/// <summary>Whose time runs out.</summary>
public enum DeadlineKind
{
    /// <summary>
    /// This side's own: counted from the start of the wait, however long its host was away. A person's time to answer is among
    /// them, and is moved by a fact of its own (<see cref="Facts.Fact.PermissionExtended"/>), because people are told until when.
    /// </summary>
    Ours,

    /// <summary>
    /// That of a box or its provider, which can only speak to a host that is there: counted anew from this side's return
    /// (<see cref="SessionState.Graces"/>) and from the box's last attach, each in bounds, so that no wait is for ever.
    /// </summary>
    Theirs,
}

/// <summary>Something is waited for: since when, and how long at most.</summary>
public readonly record struct Wait(DateTimeOffset From, TimeSpan Lasts);

/// <summary>
/// One row of the table of deadlines: a non-terminal state, when it has lasted too long, and what then happens.
/// <see cref="Expire"/> null: the time only wakes the session, and <see cref="Reconciler"/> asks for what is wanted.
/// </summary>
public sealed record Deadline(string Name, DeadlineKind Kind, Func<SessionState, SessionLimits, Wait?> Wait, Action<Turn>? Expire)
{
    /// <summary>
    /// When the state has lasted too long; null: it is not in it. An attach extends the wait once at most, by its own
    /// length: a box that connects again and again and never speaks has an end.
    /// </summary>
    public DateTimeOffset? Due(SessionState state, SessionLimits limits, DateTimeOffset? attachedAt = null)
    {
        if (Wait(state, limits) is not { } wait) return null;
        var due = wait.From + wait.Lasts;
        if (Kind == DeadlineKind.Ours) return due;
        if (state.Graces is [.., var grace] && grace > wait.From) due = Later(due, grace + (wait.Lasts > limits.Reconnect ? wait.Lasts : limits.Reconnect));
        return attachedAt > wait.From ? Later(due, (attachedAt.Value < due ? attachedAt.Value : due) + wait.Lasts) : due;
    }

    /// <summary>This side was away while it waited, and has not been away too often since.</summary>
    public bool DeservesGrace(SessionState state, SessionLimits limits, DateTimeOffset now) =>
        Kind == DeadlineKind.Theirs && Wait(state, limits) is { } wait && wait.From < now && state.Graces.Count(grace => grace > wait.From) < limits.Graces;

    /// <summary>This side was away as often as this wait allows for.</summary>
    public bool HasHadItsGraces(SessionState state, SessionLimits limits) =>
        Kind == DeadlineKind.Theirs && Wait(state, limits) is { } wait && state.Graces.Count(grace => grace > wait.From) >= limits.Graces;

    internal static DateTimeOffset Later(DateTimeOffset one, DateTimeOffset other) => one > other ? one : other;
}
