using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.SessionAccess.Bridge;

/// <summary>What a box is told beside its session's own words: where its model is, the conversation so far, its limits.</summary>
internal sealed record BoxBriefing(AgentModel? Model, string? History, SessionAccessOptions Limits);

/// <summary>Writes frames to boxes (docs/protocol.md, section 4).</summary>
internal static class HostFrameWriter
{
    private const int Protocol = 1;

    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public static ReadOnlyMemory<byte> Write(HostFrame frame, BoxBriefing briefing)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using var json = new Utf8JsonWriter(buffer, Writing);
        json.WriteStartObject();
        switch (frame)
        {
            case HostFrame.Welcome welcome:
                WriteWelcome(json, welcome, briefing);
                break;
            case HostFrame.Ack ack:
                json.WriteString("type"u8, "ack"u8);
                json.WriteNumber("n"u8, ack.N);
                WriteWindow(json, ack.Window);
                break;
            default:
                WriteRequest(json, frame, briefing);
                break;
        }

        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }

    private static void WriteWelcome(Utf8JsonWriter json, HostFrame.Welcome welcome, BoxBriefing briefing)
    {
        json.WriteString("type"u8, "welcome"u8);
        json.WriteNumber("protocol"u8, Protocol);
        json.WriteNumber("incarnation"u8, welcome.Incarnation);
        json.WriteString("spoolId"u8, welcome.SpoolId);
        json.WriteNumber("ackedN"u8, welcome.AckedN);
        WriteWindow(json, welcome.Window);
        json.WriteStartObject("config"u8);
        WriteRepository(json, welcome.Settings.Repository);
        json.WriteString("agent"u8, welcome.Settings.Agent);
        WriteModel(json, briefing.Model);
        json.WriteString("permissions"u8, welcome.Settings.Permissions == PermissionMode.Ask ? "ask"u8 : "auto"u8);
        json.WriteBoolean("install"u8, true);
        json.WriteStartObject("limits"u8);
        json.WriteNumber("repositoryBytes"u8, briefing.Limits.RepositoryBytes);
        json.WriteNumber("cloneSeconds"u8, briefing.Limits.CloneSeconds);
        json.WriteNumber("installSeconds"u8, briefing.Limits.InstallSeconds);
        json.WriteNumber("agentStartSeconds"u8, briefing.Limits.AgentStartSeconds);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteRequest(Utf8JsonWriter json, HostFrame frame, BoxBriefing briefing)
    {
        json.WriteString("type"u8, "request"u8);
        switch (frame)
        {
            case HostFrame.Prompt prompt:
                BeginRequest(json, prompt.RequestId, "prompt"u8);
                json.WriteString("messageId"u8, prompt.Message.ToString());
                json.WriteString("text"u8, prompt.Text);
                WriteModel(json, briefing.Model);
                json.WriteString("agent"u8, prompt.Agent);
                json.WriteString("history"u8, briefing.History);
                break;
            case HostFrame.Cancel cancel:
                BeginRequest(json, cancel.RequestId, "cancel"u8);
                json.WriteString("messageId"u8, cancel.Message.ToString());
                break;
            case HostFrame.Permission permission:
                BeginRequest(json, permission.RequestId, "permission"u8);
                json.WriteString("permissionId"u8, permission.Id.ToString());
                json.WriteString("decision"u8, DecisionName(permission.Decision));
                json.WriteString("note"u8, permission.Note);
                break;
            case HostFrame.Shutdown shutdown:
                BeginRequest(json, shutdown.RequestId, "shutdown"u8);
                json.WriteString("reason"u8, shutdown.Reason);
                break;
            default:
                throw new InvalidOperationException($"A box is not told {frame.GetType().Name}.");
        }

        json.WriteEndObject();
    }

    private static void BeginRequest(Utf8JsonWriter json, string id, ReadOnlySpan<byte> method)
    {
        json.WriteString("id"u8, id);
        json.WriteString("method"u8, method);
        json.WriteStartObject("params"u8);
    }

    private static void WriteWindow(Utf8JsonWriter json, BridgeWindow window)
    {
        json.WriteStartObject("window"u8);
        json.WriteNumber("events"u8, window.Events);
        json.WriteNumber("bytes"u8, window.Bytes);
        json.WriteEndObject();
    }

    private static void WriteRepository(Utf8JsonWriter json, RepositoryRef? repository)
    {
        if (repository is null)
        {
            json.WriteNull("repository"u8);
            return;
        }

        json.WriteStartObject("repository"u8);
        json.WriteString("url"u8, repository.Url);
        json.WriteString("branch"u8, repository.Branch);
        json.WriteEndObject();
    }

    private static void WriteModel(Utf8JsonWriter json, AgentModel? model)
    {
        if (model is null) throw new InvalidOperationException("A box is told a model with its welcome and with every prompt.");
        json.WriteStartObject("model"u8);
        json.WriteString("provider"u8, model.Provider);
        json.WriteString("model"u8, model.Model);
        json.WriteString("wire"u8, JsonNamingPolicy.CamelCase.ConvertName(model.Wire.ToString()));
        json.WriteNumber("contextTokens"u8, model.ContextTokens);
        json.WriteNumber("outputTokens"u8, model.OutputTokens);
        json.WriteEndObject();
    }

    private static string DecisionName(PermissionDecision decision) => JsonNamingPolicy.CamelCase.ConvertName(decision.ToString());
}
