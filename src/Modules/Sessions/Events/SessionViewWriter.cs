using System.Buffers;
using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using Coordinator.Modules.Sessions.State;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.Sessions.Events;

/// <summary>The session's public view as the head keeps it and lists show it (docs/protocol.md, section 1).</summary>
internal static class SessionViewWriter
{
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public static SessionView Write(SessionState state) => Write(state, new EndedMessages());

    /// <param name="state">What is shown.</param>
    /// <param name="ended">What of it was written before and is as it was.</param>
    public static SessionView Write(SessionState state, EndedMessages ended)
    {
        var told = ended.Of(state.Ended);
        var buffer = new ArrayBufferWriter<byte>(1536 + told.Length);
        using (var json = new Utf8JsonWriter(buffer, Writing))
        {
            json.WriteStartObject();
            WriteFields(json, state, told);
            json.WriteEndObject();
        }

        return new(new(state.Incarnation, state.Seq), buffer.WrittenSpan.ToArray()); // it outlives the turn: a session at rest holds it
    }

    private static void WriteFields(Utf8JsonWriter json, SessionState state, ReadOnlySpan<byte> ended)
    {
        var settings = state.Settings!;
        json.WriteString("id", state.Key.Session.ToString());
        json.WriteString("title", state.Title);
        json.WriteString("status", JsonShapes.Camel(state.Status));
        json.WriteString("model", settings.Model);
        json.WriteString("agent", settings.Agent);
        json.WriteString("permissions", JsonShapes.Camel(settings.Permissions));
        json.WriteRepository(settings.Repository);
        json.WriteString("createdAt", state.CreatedAt);
        json.WriteString("updatedAt", state.LastAt);
        json.WritePrincipal("createdBy", state.CreatedBy!);
        json.WriteString("cursor", new SessionCursor(state.Incarnation, state.Seq).ToString());
        WriteSandbox(json, state.Sandbox);
        WriteMessages(json, state, ended);
        json.WriteStartArray("permissionsOpen");
        foreach (var question in state.Permissions.Values)
            if (question.Decision is null) json.WriteQuestion(question);
        json.WriteEndArray();
        json.WriteUsage("usage", state.Usage);
    }

    private static void WriteSandbox(Utf8JsonWriter json, Sandbox box)
    {
        json.WriteStartObject("sandbox");
        if (box.Generation == 0) json.WriteNull("id");
        else json.WriteString("id", box.Id.ToString());
        json.WriteNumber("generation", box.Generation);
        json.WriteString("status", JsonShapes.Camel(box.Phase));
        json.WriteString("reason", box.Reason);
        if (box.AgentName is null)
        {
            json.WriteNull("agent");
        }
        else
        {
            json.WriteStartObject("agent");
            json.WriteString("name", box.AgentName);
            json.WriteString("version", box.AgentVersion);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void WriteMessages(Utf8JsonWriter json, SessionState state, ReadOnlySpan<byte> ended)
    {
        json.WriteStartArray("messages");
        if (ended.Length > 0) json.WriteRawValue(ended, skipInputValidation: true);
        var position = state.Running is null ? 0 : -1;
        foreach (var message in state.Open) WriteMessage(json, message, Math.Max(0, position++));
        json.WriteEndArray();
    }

    /// <summary>As they stand in the view's list, without its brackets.</summary>
    internal static ReadOnlyMemory<byte> WriteEnded(ImmutableList<Message> messages)
    {
        var buffer = new ArrayBufferWriter<byte>(1 + (256 * messages.Count));
        using var json = new Utf8JsonWriter(buffer, Writing);
        foreach (var message in messages) WriteMessage(json, message, 0);
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteMessage(Utf8JsonWriter json, Message message, int position)
    {
        json.WriteStartObject();
        json.WriteString("id", message.Id.ToString());
        json.WriteString("status", JsonShapes.Camel(message.Status));
        json.WriteString("text", Evolver.Preview(message.Text));
        json.WriteString("model", message.Model);
        json.WriteNumber("position", position);
        json.WriteString("queuedAt", message.QueuedAt);
        json.WriteBoolean("cancelling", message.CancellingAt is not null && message.EndedAt is null);
        if (message.FailureCode is null)
        {
            json.WriteNull("failure");
        }
        else
        {
            json.WriteStartObject("failure");
            json.WriteString("code", message.FailureCode);
            json.WriteString("detail", message.FailureDetail);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }
}

/// <summary>
/// The ended messages of one session as its view last showed them, comma between comma: a turn changes the view several times,
/// and most of it is what ended before.
/// </summary>
internal sealed class EndedMessages
{
    private ImmutableList<Message> written = [];
    private ReadOnlyMemory<byte> utf8;

    public ReadOnlySpan<byte> Of(ImmutableList<Message> messages)
    {
        if (messages == written) return utf8.Span;
        (written, utf8) = (messages, SessionViewWriter.WriteEnded(messages));
        return utf8.Span;
    }
}
