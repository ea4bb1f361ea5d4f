using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Coordinator.Modules.SessionAccess.Messages;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.SessionAccess.Clients;

/// <summary>Writes the frames that are made for one client; the shared ones are <see cref="SharedFrames"/>.</summary>
internal static class ClientFrameWriter
{
    private const int Protocol = 1;

    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public static ReadOnlyMemory<byte> Ready(SessionView view, SessionCursor cursor) => Write("ready"u8, json =>
    {
        json.WriteNumber("protocol"u8, Protocol);
        json.WritePropertyName("session"u8);
        json.WriteRawValue(view.Json.Span, skipInputValidation: true);
        json.WriteString("cursor"u8, cursor.ToString());
    });

    public static ReadOnlyMemory<byte> Accepted(string clientId, AcceptedMessage message) => Write("accepted"u8, json =>
    {
        json.WriteString("clientId"u8, clientId);
        json.WriteString("messageId"u8, message.MessageId.ToString());
        json.WriteNumber("position"u8, message.Position);
    });

    public static ReadOnlyMemory<byte> Done(string what, string? id) => Write("done"u8, json =>
    {
        json.WriteString("for"u8, what);
        if (id is not null) json.WriteString("id"u8, id);
    });

    public static ReadOnlyMemory<byte> Refused(string what, string? clientId, Problem problem) => Write("refused"u8, json =>
    {
        json.WriteString("for"u8, what);
        if (clientId is not null) json.WriteString("clientId"u8, clientId);
        json.WriteString("code"u8, problem.Code);
        json.WriteString("detail"u8, problem.Detail);
    });

    public static ReadOnlyMemory<byte> Pong(string? id) => Write("pong"u8, json =>
    {
        if (id is not null) json.WriteString("id"u8, id);
    });

    /// <summary>The last frame before a restart closes the socket: when to come back.</summary>
    public static ReadOnlyMemory<byte> Restarting(TimeSpan returnAfter) => Write("restarting"u8, json => json.WriteNumber("returnAfterMs"u8, (long)returnAfter.TotalMilliseconds));

    private static ReadOnlyMemory<byte> Write(ReadOnlySpan<byte> type, Action<Utf8JsonWriter> body)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using var json = new Utf8JsonWriter(buffer, Writing);
        json.WriteStartObject();
        json.WriteString("type"u8, type);
        body(json);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }
}
