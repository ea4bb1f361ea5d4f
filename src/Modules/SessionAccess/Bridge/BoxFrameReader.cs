using System.Buffers;
using System.Text.Json;
using Coordinator.Modules.SessionAccess.Sockets;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.SessionAccess.Bridge;

/// <summary>
/// Reads frames of boxes without building a document: an event's <c>data</c> is cut out as the bytes that came and copied
/// once, because the journal and every client get exactly these. A frame that cannot be read at all is a
/// <see cref="FrameException"/>. An event that can be numbered but not shown (its data is too large or no object) becomes
/// one of <see cref="UnusableKind"/>, so that it is acknowledged and blocks nothing behind it.
/// </summary>
internal static class BoxFrameReader
{
    public const int MaxDataBytes = 64 * 1024;

    /// <summary>A kind that no session shows.</summary>
    public const string UnusableKind = "bridge.unusable";

    private const int MaxTokenLength = 128;
    private const int MaxErrorLength = 4_000;

    private static readonly ReadOnlyMemory<byte> EmptyObject = "{}"u8.ToArray();

    public static BoxFrame Read(ReadOnlySpan<byte> utf8) => Build(JsonFields.Guard(utf8, ReadFields), utf8);

    private static Fields ReadFields(ref Utf8JsonReader reader)
    {
        var fields = default(Fields);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("data"u8)) ReadData(ref reader, ref fields);
            else ReadField(ref reader, ref fields);
        }

        return fields;
    }

    private static void ReadData(ref Utf8JsonReader reader, ref Fields fields)
    {
        reader.Read();
        fields.DataIsObject = reader.TokenType == JsonTokenType.StartObject;
        fields.DataStart = (int)reader.TokenStartIndex;
        reader.Skip();
        fields.DataEnd = (int)reader.BytesConsumed;
    }

    private static void ReadField(ref Utf8JsonReader reader, ref Fields fields)
    {
        var name = reader.GetString()!;
        reader.Read();
        switch (name)
        {
            case "type": fields.Type = Token(ref reader, name); break;
            case "kind": fields.Kind = Token(ref reader, name); break;
            case "messageId": fields.MessageId = Token(ref reader, name); break;
            case "id": fields.Id = Token(ref reader, name); break;
            case "error": fields.Error = JsonFields.OptionalText(ref reader, name); break;
            case "n": fields.N = JsonFields.Number(ref reader, name); break;
            case "rss": fields.Rss = JsonFields.Number(ref reader, name); break;
            case "disk": fields.Disk = JsonFields.Number(ref reader, name); break;
            case "ok": fields.Ok = JsonFields.Truth(ref reader, name); break;
            case "busy": fields.Busy = JsonFields.Truth(ref reader, name); break;
            default: reader.Skip(); break;
        }
    }

    private static string? Token(ref Utf8JsonReader reader, string field)
    {
        var text = JsonFields.OptionalText(ref reader, field);
        return text is { Length: > MaxTokenLength } ? throw new FrameException($"'{field}' is too long.") : text;
    }

    private static BoxFrame Build(in Fields fields, ReadOnlySpan<byte> utf8) => JsonFields.Required(fields.Type, "type") switch
    {
        "event" => Event(fields, utf8),
        "reply" => new BoxFrame.Reply(JsonFields.Required(fields.Id, "id"), fields.Ok ?? throw new FrameException("'ok' is missing."), Shorten(fields.Error)),
        "heartbeat" => new BoxFrame.Heartbeat(fields.Busy ?? throw new FrameException("'busy' is missing."), fields.Rss ?? 0, fields.Disk ?? 0),
        "hello" => throw new FrameException("'hello' is the first frame only."),
        _ => throw new FrameException("This 'type' of frame is not known."),
    };

    private static BoxFrame.Event Event(in Fields fields, ReadOnlySpan<byte> utf8)
    {
        if (fields.N is not > 0) throw new FrameException("'n' is missing or not above 0.");
        var kind = JsonFields.Required(fields.Kind, "kind");
        MessageId? message = null;
        if (fields.MessageId is not null)
        {
            if (!MessageId.TryParse(fields.MessageId, out var id)) throw new FrameException("'messageId' is not an id of the form msg_….");
            message = id;
        }

        var usable = fields is { DataIsObject: true } && fields.DataEnd - fields.DataStart <= MaxDataBytes;
        return usable
            ? new(fields.N.Value, kind, message, Own(utf8[fields.DataStart..fields.DataEnd]))
            : new(fields.N.Value, UnusableKind, message, EmptyObject);
    }

    /// <summary>The bytes, copied; without line breaks, which only stand between tokens and would end an event of a stream.</summary>
    private static ReadOnlyMemory<byte> Own(ReadOnlySpan<byte> data)
    {
        if (!data.ContainsAny("\r\n"u8)) return data.ToArray();
        var compact = new ArrayBufferWriter<byte>(data.Length);
        foreach (var range in data.SplitAny("\r\n"u8)) compact.Write(data[range]);
        return compact.WrittenMemory;
    }

    private static string? Shorten(string? error) => error is { Length: > MaxErrorLength } ? error[..MaxErrorLength] : error;

    private struct Fields
    {
        public string? Type, Kind, MessageId, Id, Error;
        public long? N, Rss, Disk;
        public bool? Ok, Busy;
        public bool DataIsObject;
        public int DataStart, DataEnd;
    }
}
