using System.Text.Json;
using Coordinator.Ports;
using Coordinator.Ports.Compute;

namespace Coordinator.Sandbox.Events;

/// <summary>How a message ended; kept in the message ledger, so that it can be told again when the spool is lost.</summary>
internal sealed record MessageEnd(TurnOutcome Outcome, string? Code, string? Detail, AgentTokens Tokens)
{
    public static MessageEnd Cancelled { get; } = new(TurnOutcome.Cancelled, null, null, AgentTokens.None);

    public static MessageEnd Failed(string code, string detail) => new(TurnOutcome.Failed, code, detail, AgentTokens.None);
}

/// <summary>One report of a boot phase.</summary>
internal sealed record PhaseReport(string Phase, string Status, TimeSpan? Elapsed = null, string? Detail = null, string? Output = null);

/// <summary>Builds the events of the box's own life. Each is far below the size limit by the bounds of its fields.</summary>
internal sealed class LifecycleEvents(Redactor redactor)
{
    private const int MaxDetail = 2_000;
    private const int MaxPhaseOutputBytes = 16 * 1024;

    public BoxEvent Phase(PhaseReport report) => new(EventKinds.BootPhase, null, EventJson.Write(json =>
    {
        json.WriteString("phase", report.Phase);
        json.WriteString("status", report.Status);
        json.WriteOptional("elapsedMs", (long?)report.Elapsed?.TotalMilliseconds);
        json.WriteOptional("detail", Detail(report.Detail));
        if (report.Output is { } output) json.WriteString("output", Tail(redactor.Clean(output)));
    }));

    public static BoxEvent Ready(AgentInfo agent, bool resumed, TimeSpan elapsed) => new(EventKinds.BootReady, null, EventJson.Write(json =>
    {
        json.WriteStartObject("agent");
        json.WriteString("name", agent.Name);
        json.WriteString("version", JsonText.Shorten(agent.Version, 100));
        json.WriteEndObject();
        json.WriteBoolean("resumed", resumed);
        json.WriteNumber("elapsedMs", (long)elapsed.TotalMilliseconds);
    }));

    public BoxEvent BootFailed(Problem problem) => Failure(EventKinds.BootFailed, problem);

    public BoxEvent AgentFailed(Problem problem) => Failure(EventKinds.AgentFailed, problem);

    public static BoxEvent Accepted(MessageId message) => new(EventKinds.MessageAccepted, message, "{}"u8.ToArray());

    public BoxEvent Ended(MessageId message, MessageEnd end) => new(EventKinds.MessageEnded, message, EventJson.Write(json =>
    {
        json.WriteString("outcome", Name(end.Outcome));
        json.WriteOptional("code", end.Code);
        json.WriteOptional("detail", Detail(end.Detail));
        json.WriteStartObject("agentTokens");
        json.WriteNumber("input", end.Tokens.Input);
        json.WriteNumber("output", end.Tokens.Output);
        json.WriteNumber("reasoning", end.Tokens.Reasoning);
        json.WriteNumber("cacheRead", end.Tokens.CacheRead);
        json.WriteNumber("cacheWrite", end.Tokens.CacheWrite);
        json.WriteNumber("costUsd", end.Tokens.CostUsd);
        json.WriteEndObject();
    }));

    public static BoxEvent PermissionConfirmed(PermissionId permission, MessageId? message) =>
        new(EventKinds.PermissionConfirmed, message, EventJson.Write(json => json.WriteString("permissionId", permission.ToString())));

    public static BoxEvent Environment(DetectedEnvironment environment) => new(EventKinds.EnvironmentDetected, null, EventJson.Write(json =>
    {
        json.WritePropertyName("environment");
        JsonSerializer.Serialize(json, environment, EnvironmentJson.Default.DetectedEnvironment);
    }));

    private BoxEvent Failure(string kind, Problem problem) => new(kind, null, EventJson.Write(json =>
    {
        json.WriteString("code", problem.Code);
        json.WriteString("detail", Detail(problem.Detail));
    }));

    private string? Detail(string? detail) => detail is null ? null : JsonText.Shorten(redactor.Clean(detail), MaxDetail);

    /// <summary>Of output that came faster than it may be told, the last is what matters.</summary>
    private static string Tail(string output) => output[^JsonText.FitFromEnd(output, MaxPhaseOutputBytes)..];

    private static string Name(TurnOutcome outcome) => outcome switch
    {
        TurnOutcome.Completed => "completed",
        TurnOutcome.Cancelled => "cancelled",
        _ => "failed",
    };
}
