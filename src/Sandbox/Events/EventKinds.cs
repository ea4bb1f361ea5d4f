namespace Coordinator.Sandbox.Events;

/// <summary>The kinds of event a box may send (docs/protocol.md, section 4).</summary>
internal static class EventKinds
{
    public const string BootPhase = "boot.phase";
    public const string BootReady = "boot.ready";
    public const string BootFailed = "boot.failed";
    public const string MessageAccepted = "message.accepted";
    public const string MessageEnded = "message.ended";
    public const string PermissionAsked = "permission.asked";
    public const string PermissionConfirmed = "permission.confirmed";
    public const string EnvironmentDetected = "environment.detected";
    public const string AgentFailed = "agent.failed";
    public const string AgentText = "agent.text";
    public const string AgentReasoning = "agent.reasoning";
    public const string AgentRetrying = "agent.retrying";
    public const string ToolStarted = "tool.started";
    public const string ToolUpdated = "tool.updated";
    public const string ToolCompleted = "tool.completed";
    public const string ToolFailed = "tool.failed";
    public const string PlanUpdated = "plan.updated";
    public const string FileChanged = "file.changed";
}
