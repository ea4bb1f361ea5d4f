using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.Sessions.State;

/// <summary>One prompt and what became of it.</summary>
public sealed record Message
{
    public required MessageId Id { get; init; }

    public required Principal By { get; init; }

    public required string Text { get; init; }

    public required string Model { get; init; }

    public required DateTimeOffset QueuedAt { get; init; }

    public MessageId? RetryOf { get; init; }

    public MessageStatus Status { get; init; }

    public SandboxId Sandbox { get; init; }

    public int Generation { get; init; }

    /// <summary>The agent must be told the conversation before this message.</summary>
    public bool SeedHistory { get; init; }

    public DateTimeOffset? DispatchedAt { get; init; }

    /// <summary>Sequence number of its <c>message.dispatched</c> event.</summary>
    public long FirstSeq { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When and why the box was asked to stop it.</summary>
    public DateTimeOffset? CancellingAt { get; init; }

    public CancelReason CancelReason { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    public ModelUsage Usage { get; init; } = ModelUsage.None;

    public string? FailureCode { get; init; }

    public string? FailureDetail { get; init; }
}

/// <summary>How far a message is; the last three are for ever.</summary>
public enum MessageStatus
{
    Queued,
    Dispatched,
    Running,
    Completed,
    Failed,
    Cancelled,
}

/// <summary>Why a running message was asked to stop.</summary>
public enum CancelReason
{
    User,
    Archived,
    Deadline,
}
