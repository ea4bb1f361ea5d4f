namespace Coordinator.Ports;

/// <summary>How a port failed; callers choose by this, never by an exception's type or text.</summary>
public enum PortFailureKind
{
    /// <summary>Could not be reached or answered that it is down. Safe to retry with backoff.</summary>
    Unavailable,
    /// <summary>No answer in time. Retry only what is idempotent.</summary>
    Timeout,
    /// <summary>Refused our credential.</summary>
    Unauthorized,
    /// <summary>Refused for a limit of rate or quota; see <see cref="PortException.RetryAfter"/>.</summary>
    Limited,
    /// <summary>Disk, quota or capacity is used up.</summary>
    Full,
    /// <summary>Answered something that cannot be understood.</summary>
    Corrupt,
    /// <summary>Refused the request itself; retrying the same request is pointless.</summary>
    Rejected,
    /// <summary>Cannot do what the caller requires of it, as it is set up; retrying is pointless until that is changed.</summary>
    Incapable,
    /// <summary>Another owner has taken over: this caller must stop acting.</summary>
    Fenced,
}

/// <summary>
/// The one exception a port throws for a failure of the thing behind it. <see cref="EffectMayHaveHappened"/> is true
/// when the caller cannot know whether the effect took place (the answer was lost), so that it looks before it retries.
/// </summary>
public sealed class PortException(PortFailureKind kind, string message, bool effectMayHaveHappened = false, TimeSpan? retryAfter = null, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>How it failed.</summary>
    public PortFailureKind Kind { get; } = kind;

    /// <summary>Whether the effect may have taken place all the same.</summary>
    public bool EffectMayHaveHappened { get; } = effectMayHaveHappened;

    /// <summary>When to try again, where the other side said so.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;

    /// <summary>What whoever asked is told in place of the general words for the kind, where they can mend it; nothing of the inside. Null: those.</summary>
    public Problem? Told { get; init; }

    /// <summary>
    /// True when what is behind the port works and refused what the program itself should not have asked of it. It is no outage,
    /// whatever its kind says to callers: an operator is told of it each time and whole.
    /// </summary>
    public bool IsDefect { get; init; }

    /// <summary>
    /// True when nothing has failed: what was asked was told to stop, and another will do it. An operator need not hear of each
    /// caller that it sends away.
    /// </summary>
    public bool IsPlanned { get; init; }
}
