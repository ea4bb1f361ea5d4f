using Coordinator.Ports;
using Coordinator.Ports.Compute;

namespace Coordinator.Modules.Sessions.State;

/// <summary>The session's box: the one that runs, or the last one that did.</summary>
public sealed record Sandbox
{
    public static Sandbox None { get; } = new();

    public SandboxPhase Phase { get; init; }

    public SandboxId Id { get; init; }

    /// <summary>Counts the boxes of the session; 0 before the first.</summary>
    public int Generation { get; init; }

    /// <summary>SHA-256 of the box's token, hex.</summary>
    public string TokenHash { get; init; } = string.Empty;

    public SandboxHandle? Handle { get; init; }

    /// <summary>The machine that it is made on or nowhere, written down before it is asked for there; null: not chosen yet, or nothing to choose.</summary>
    public string? Node { get; init; }

    /// <summary>The machine that has the workspace which earlier boxes of the session left; null: not known, or none is left.</summary>
    public string? Home { get; init; }

    /// <summary>When the present phase began.</summary>
    public DateTimeOffset Since { get; init; }

    public DateTimeOffset RequestedAt { get; init; }

    /// <summary>The phase it was in before it fell silent.</summary>
    public SandboxPhase BeforeSilence { get; init; }

    /// <summary>Tries to create that failed so far, and when the next may be made.</summary>
    public int CreateFailures { get; init; }

    public DateTimeOffset? CreateNotBefore { get; init; }

    /// <summary>Why the last try to create failed.</summary>
    public string? CreateFailureCode { get; init; }

    public string? CreateFailureDetail { get; init; }

    public string? AgentName { get; init; }

    public string? AgentVersion { get; init; }

    /// <summary>The agent still knew its conversation when it became ready.</summary>
    public bool Resumed { get; init; }

    /// <summary>When a ready box last had something to do.</summary>
    public DateTimeOffset IdleSince { get; init; }

    /// <summary>Why it is stopping, stopped or lost.</summary>
    public string? Reason { get; init; }

    public string? Detail { get; init; }

    /// <summary>It has not yet been confirmed that nothing of it runs.</summary>
    public bool MustDestroy { get; init; }

    /// <summary>Its workspace may be kept for the next box.</summary>
    public bool KeepData { get; init; }

    /// <summary>A workspace of this session may lie at the provider.</summary>
    public bool HasData { get; init; }

    public int DestroyFailures { get; init; }

    public DateTimeOffset? DestroyNotBefore { get; init; }

    /// <summary>It lives, or is being made, and the provider's answer to create has not come: without it nobody can ask about it or end it.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool WantsHandle => IsLive && Handle is null;

    /// <summary>A box is being made or lives: events and calls of it are taken.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsLive => Phase is SandboxPhase.Requested or SandboxPhase.Booting or SandboxPhase.Connected or SandboxPhase.Ready or SandboxPhase.Silent;
}

/// <summary>How far a session's box is.</summary>
public enum SandboxPhase
{
    None,
    /// <summary>Wanted; the provider has not answered.</summary>
    Requested,
    /// <summary>Made; it has not called back.</summary>
    Booting,
    /// <summary>Called back; clone, install and agent start go on.</summary>
    Connected,
    /// <summary>The agent takes prompts.</summary>
    Ready,
    /// <summary>Was connected; nothing is heard of it.</summary>
    Silent,
    /// <summary>Being ended.</summary>
    Stopping,
    Stopped,
    /// <summary>The provider says it is gone, or it was given up.</summary>
    Lost,
}
