using System.Buffers.Text;
using System.Text.Json;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Sandbox.Events;

namespace Coordinator.Sandbox.Bridge;

/// <summary>Writes the frames of a box (docs/protocol.md, section 4).</summary>
internal static class BoxFrameWriter
{
    /// <summary>The one version of the protocol this program speaks.</summary>
    public const int Protocol = 1;

    private static ReadOnlySpan<byte> EventStart => "{\"type\":\"event\",\"n\":"u8;

    /// <summary>Bytes a frame adds to an event's body, at most.</summary>
    public const int EventOverhead = 48;

    public static byte[] Hello(BoxIdentity identity, string spoolId, string? renewedFrom, IEnumerable<KnownMessage> messages, IEnumerable<PermissionId> openPermissions) => EventJson.Write(json =>
    {
        json.WriteString("type", "hello");
        json.WriteStartArray("protocol");
        json.WriteNumberValue(Protocol);
        json.WriteNumberValue(Protocol);
        json.WriteEndArray();
        json.WriteString("sandbox", identity.Sandbox.ToString());
        json.WriteNumber("generation", identity.Generation);
        json.WriteString("spoolId", spoolId);
        if (renewedFrom is not null) json.WriteString("renewedFrom", renewedFrom);
        json.WriteStartArray("messages");
        foreach (var message in messages)
        {
            json.WriteStartObject();
            json.WriteString("id", message.Id.ToString());
            json.WriteString("state", message.State switch
            {
                KnownMessageState.Accepted => "accepted",
                KnownMessageState.Ended => "ended",
                _ => "unknown",
            });
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("openPermissions");
        foreach (var permission in openPermissions) json.WriteStringValue(permission.ToString());
        json.WriteEndArray();
    });

    public static byte[] Reply(string requestId, string? error) => EventJson.Write(json =>
    {
        json.WriteString("type", "reply");
        json.WriteString("id", requestId);
        json.WriteBoolean("ok", error is null);
        json.WriteString("error", error);
    });

    public static byte[] Heartbeat(bool busy, long rss, long disk) => EventJson.Write(json =>
    {
        json.WriteString("type", "heartbeat");
        json.WriteBoolean("busy", busy);
        json.WriteNumber("rss", rss);
        json.WriteNumber("disk", disk);
    });

    /// <summary>An event without its number, as the spool keeps it: the number is given when the frame is made.</summary>
    public static byte[] EventBody(BoxEvent happened) => EventJson.Write(json =>
    {
        json.WriteString("kind", happened.Kind);
        if (happened.Message is { } message) json.WriteString("messageId", message.ToString());
        json.WritePropertyName("data");
        json.WriteRawValue(happened.Data.Span, skipInputValidation: true);
    });

    public static byte[] Event(long n, ReadOnlySpan<byte> body)
    {
        Span<byte> number = stackalloc byte[20];
        Utf8Formatter.TryFormat(n, number, out var digits);
        var frame = new byte[EventStart.Length + digits + body.Length];
        EventStart.CopyTo(frame);
        number[..digits].CopyTo(frame.AsSpan(EventStart.Length));
        body.CopyTo(frame.AsSpan(EventStart.Length + digits));
        frame[EventStart.Length + digits] = (byte)',';
        return frame;
    }

    /// <summary>The message a spooled body ends, when it is a <c>message.ended</c>.</summary>
    public static MessageId? EndedBy(ReadOnlySpan<byte> body)
    {
        var reader = new Utf8JsonReader(body);
        var ended = false;
        MessageId? message = null;
        while (reader.Read() && reader.CurrentDepth <= 1)
        {
            if (reader.TokenType != JsonTokenType.PropertyName) continue;
            if (reader.ValueTextEquals("data"u8)) break;
            var isKind = reader.ValueTextEquals("kind"u8);
            reader.Read();
            if (isKind) ended = reader.ValueTextEquals(EventKinds.MessageEnded);
            else if (MessageId.TryParse(reader.GetString(), out var id)) message = id;
        }

        return ended ? message : null;
    }
}

/// <summary>Which box this is.</summary>
internal sealed record BoxIdentity(SandboxId Sandbox, int Generation);
