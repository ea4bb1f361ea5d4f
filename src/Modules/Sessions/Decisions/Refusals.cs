using Coordinator.Ports;

namespace Coordinator.Modules.Sessions.Decisions;

/// <summary>The refusals that several decisions share.</summary>
internal static class Refusals
{
    public static Problem NoSession { get; } = new("session_not_found", "There is no such session.", ProblemKind.NotFound);

    public static Problem Archived { get; } = new("session_archived", "The session is archived and takes no more work; start a new one.", ProblemKind.Conflict);

    public static Problem NoMessage { get; } = new("message_not_found", "The session has no such message.", ProblemKind.NotFound);

    public static Problem NotQueued { get; } = new("message_not_queued", "The message is not waiting any more.", ProblemKind.Conflict);

    public static Problem KeyReused { get; } = new("idempotency_key_reused", "This key was used for another request; use a new one.", ProblemKind.Conflict);

    public static Problem BoxNotWanted { get; } = new("box_not_wanted", "The session does not want this box any more.", ProblemKind.Gone);

    public static Problem BoxCredential { get; } = new("box_credential_invalid", "Not a valid credential of this session's box.", ProblemKind.Unauthenticated);
}

/// <summary>The words for why a box ended (docs/protocol.md, section 2).</summary>
internal static class SandboxReasons
{
    public const string Idle = "idle";
    public const string Archived = "archived";
    public const string BootFailed = "bootFailed";
    public const string AgentFailed = "agentFailed";
    public const string Cancelled = "cancelled";
    public const string Replaced = "replaced";
    public const string KeyLost = "keyLost";
    public const string Exited = "exited";
    public const string OutOfMemory = "outOfMemory";
    public const string NotFound = "notFound";
    public const string Unreachable = "unreachable";
}
