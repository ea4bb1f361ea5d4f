using System.Text.Json;
using Coordinator.Ports;
using Coordinator.Ports.Compute;

namespace Coordinator.Sandbox.Events;

/// <summary>
/// Builds the events of a turn from what the agent does. Every one stays below the size limit whatever the agent
/// sends: each field has its own bound, and the bounds add up to less.
/// </summary>
internal sealed class AgentEvents(Redactor redactor)
{
    private const int MaxName = 200;
    private const int MaxTitle = 500;
    private const int MaxReason = 2_000;
    private const int MaxErrorBytes = 16 * 1024;
    private const int MaxInputBytes = 12 * 1024;
    private const int MaxPath = 1_000;
    private const int MaxPatterns = 20;
    private const int MaxPatternBytes = 1_000;
    private const int MaxPlanEntries = 80;
    private const int MaxPlanContentBytes = 400;

    private readonly JsonExcerpt excerpt = new(redactor);

    /// <summary>What one delta of text or output may hold, in bytes of escaped UTF-8.</summary>
    public const int MaxDeltaBytes = 32 * 1024;

    public static BoxEvent Text(MessageId message, string part, int offset, string text) => Delta(EventKinds.AgentText, message, part, offset, text);

    public static BoxEvent Reasoning(MessageId message, string part, int offset, string text) => Delta(EventKinds.AgentReasoning, message, part, offset, text);

    public BoxEvent ToolStarted(MessageId message, AgentUpdate.ToolStarted started) =>
        new(EventKinds.ToolStarted, message, EventJson.Write(json => WriteTool(json, started.CallId, started.Tool, started.Title, started.InputJson)));

    public static BoxEvent ToolUpdated(MessageId message, string callId, int offset, string output) => new(EventKinds.ToolUpdated, message, EventJson.Write(json =>
    {
        json.WriteString("callId", JsonText.Shorten(callId, MaxName));
        json.WriteNumber("offset", offset);
        json.WriteString("output", output);
    }));

    public BoxEvent ToolCompleted(MessageId message, AgentUpdate.ToolCompleted completed, CutOutput output, string? artifact) =>
        new(EventKinds.ToolCompleted, message, EventJson.Write(json =>
        {
            WriteTool(json, completed.CallId, completed.Tool, completed.Title, completed.InputJson);
            json.WriteString("output", output.Text);
            // What the agent left out was never here: nobody knows how long the whole was.
            if (!completed.Truncated) json.WriteNumber("outputLength", output.Length);
            json.WriteBoolean("truncated", output.Truncated || completed.Truncated);
            json.WriteOptional("artifact", artifact);
            json.WriteOptional("exitCode", completed.ExitCode);
            json.WriteNumber("durationMs", (long)completed.Duration.TotalMilliseconds);
        }));

    public BoxEvent ToolFailed(MessageId message, AgentUpdate.ToolFailed failed) => new(EventKinds.ToolFailed, message, EventJson.Write(json =>
    {
        WriteTool(json, failed.CallId, failed.Tool, failed.Title, failed.InputJson);
        json.WriteString("error", FitBytes(failed.Error, MaxErrorBytes));
        json.WriteNumber("durationMs", (long)failed.Duration.TotalMilliseconds);
    }));

    public BoxEvent Plan(MessageId message, AgentUpdate.Plan plan) => new(EventKinds.PlanUpdated, message, EventJson.Write(json =>
    {
        json.WriteStartArray("entries");
        foreach (var entry in plan.Entries.Take(MaxPlanEntries))
        {
            json.WriteStartObject();
            json.WriteString("content", FitBytes(entry.Content, MaxPlanContentBytes));
            json.WriteString("status", JsonText.Shorten(entry.Status, 20));
            json.WriteOptional("priority", entry.Priority is null ? null : JsonText.Shorten(entry.Priority, 20));
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }));

    public BoxEvent FileChanged(MessageId message, AgentUpdate.FileChanged changed) => new(EventKinds.FileChanged, message, EventJson.Write(json =>
    {
        json.WriteString("path", Fit(changed.Path, MaxPath));
        json.WriteString("change", changed.Change switch
        {
            FileChange.Created => "created",
            FileChange.Deleted => "deleted",
            _ => "modified",
        });
    }));

    public BoxEvent PermissionAsked(MessageId message, PermissionId permission, AgentUpdate.PermissionAsked asked) =>
        new(EventKinds.PermissionAsked, message, EventJson.Write(json =>
        {
            json.WriteString("permissionId", permission.ToString());
            json.WriteOptional("callId", asked.CallId is null ? null : JsonText.Shorten(asked.CallId, MaxName));
            json.WriteString("permission", JsonText.Shorten(asked.Permission, MaxName));
            json.WriteStartArray("patterns");
            foreach (var pattern in asked.Patterns.Take(MaxPatterns)) json.WriteStringValue(FitBytes(pattern, MaxPatternBytes));
            json.WriteEndArray();
            json.WriteOptional("title", Title(asked.Title));
            if (asked.DetailJson is null) return;
            json.WritePropertyName("detail");
            json.WriteRawValue(excerpt.Fit(asked.DetailJson, MaxInputBytes));
        }));

    public BoxEvent Retrying(MessageId message, AgentUpdate.Retrying retrying) => new(EventKinds.AgentRetrying, message, EventJson.Write(json =>
    {
        json.WriteNumber("attempt", retrying.Attempt);
        json.WriteString("reason", Fit(retrying.Reason, MaxReason));
        if (retrying.NextAt is { } next) json.WriteString("nextAt", next.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", System.Globalization.CultureInfo.InvariantCulture));
    }));

    private static BoxEvent Delta(string kind, MessageId message, string part, int offset, string text) => new(kind, message, EventJson.Write(json =>
    {
        json.WriteString("part", JsonText.Shorten(part, MaxName));
        json.WriteNumber("offset", offset);
        json.WriteString("text", text);
    }));

    private void WriteTool(Utf8JsonWriter json, string callId, string tool, string? title, string input)
    {
        json.WriteString("callId", JsonText.Shorten(callId, MaxName));
        json.WriteString("tool", JsonText.Shorten(tool, MaxName));
        json.WriteOptional("title", Title(title));
        json.WritePropertyName("input");
        json.WriteRawValue(excerpt.Fit(input, MaxInputBytes));
    }

    private string? Title(string? title) => title is null ? null : Fit(title, MaxTitle);

    private string FitBytes(string text, int bytes)
    {
        var clean = redactor.Clean(text);
        var units = JsonText.FitFromStart(clean, bytes);
        return units == clean.Length ? clean : string.Concat(clean.AsSpan(0, units), "…");
    }

    private string Fit(string text, int units) => JsonText.Shorten(redactor.Clean(text), units);
}
