using System.Text.Json;
using Coordinator.Modules.SessionAccess.Sockets;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.SessionAccess.Bridge;

/// <summary>Reads a box's first frame.</summary>
internal static class HelloReader
{
    private const int SpoolIdLength = 16;
    private const int MaxMessages = 1_000;
    private const int MaxPermissions = 1_000;

    public static BridgeHello Read(ReadOnlySpan<byte> utf8) => JsonFields.Guard(utf8, ReadHello);

    private static BridgeHello ReadHello(ref Utf8JsonReader reader)
    {
        string? type = null, sandbox = null, spool = null, renewed = null;
        long? generation = null;
        (int Min, int Max)? protocol = null;
        List<KnownMessage> messages = [];
        List<PermissionId> permissions = [];
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            switch (name)
            {
                case "type": type = JsonFields.OptionalText(ref reader, name); break;
                case "protocol": protocol = ReadProtocol(ref reader); break;
                case "sandbox": sandbox = JsonFields.OptionalText(ref reader, name); break;
                case "generation": generation = JsonFields.Number(ref reader, name); break;
                case "spoolId": spool = JsonFields.OptionalText(ref reader, name); break;
                case "renewedFrom": renewed = JsonFields.OptionalText(ref reader, name); break;
                case "messages": messages = ReadMessages(ref reader); break;
                case "openPermissions": permissions = ReadPermissions(ref reader); break;
                default: reader.Skip(); break;
            }
        }

        if (type != "hello") throw new FrameException("The first frame is 'hello'.");
        var (min, max) = protocol ?? throw new FrameException("'protocol' is missing.");
        if (!SandboxId.TryParse(sandbox, out var box)) throw new FrameException("'sandbox' is not an id of the form box_….");
        if (generation is not (>= 0 and <= int.MaxValue)) throw new FrameException("'generation' is missing or out of range.");
        if (spool is not { Length: SpoolIdLength } || !spool.All(char.IsAsciiHexDigit)) throw new FrameException("'spoolId' is 16 hex digits.");
        return new(min, max, box, (int)generation.Value, spool, messages, permissions, renewed);
    }

    private static (int Min, int Max) ReadProtocol(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray) throw new FrameException("'protocol' is [lowest, highest].");
        var bounds = new List<int>(2);
        while (reader.Read() && reader.TokenType == JsonTokenType.Number && bounds.Count < 2)
            bounds.Add(reader.TryGetInt32(out var bound) ? bound : throw new FrameException("'protocol' is [lowest, highest]."));
        return bounds.Count == 2 && reader.TokenType == JsonTokenType.EndArray ? (bounds[0], bounds[1]) : throw new FrameException("'protocol' is [lowest, highest].");
    }

    private static List<KnownMessage> ReadMessages(ref Utf8JsonReader reader)
    {
        var messages = new List<KnownMessage>();
        if (reader.TokenType != JsonTokenType.StartArray) throw new FrameException("'messages' is a list.");
        while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
        {
            if (messages.Count == MaxMessages) throw new FrameException("'messages' is too long.");
            messages.Add(ReadMessage(ref reader));
        }

        return reader.TokenType == JsonTokenType.EndArray ? messages : throw new FrameException("'messages' is a list of objects.");
    }

    private static KnownMessage ReadMessage(ref Utf8JsonReader reader)
    {
        string? id = null, state = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            switch (name)
            {
                case "id": id = JsonFields.OptionalText(ref reader, name); break;
                case "state": state = JsonFields.OptionalText(ref reader, name); break;
                default: reader.Skip(); break;
            }
        }

        if (!MessageId.TryParse(id, out var message)) throw new FrameException("A message's 'id' is of the form msg_….");
        return new(message, state switch
        {
            "accepted" => KnownMessageState.Accepted,
            "ended" => KnownMessageState.Ended,
            "unknown" => KnownMessageState.Unknown,
            _ => throw new FrameException("A message's 'state' is accepted, ended or unknown."),
        });
    }

    private static List<PermissionId> ReadPermissions(ref Utf8JsonReader reader)
    {
        var permissions = new List<PermissionId>();
        if (reader.TokenType != JsonTokenType.StartArray) throw new FrameException("'openPermissions' is a list.");
        while (reader.Read() && reader.TokenType == JsonTokenType.String)
        {
            if (permissions.Count == MaxPermissions) throw new FrameException("'openPermissions' is too long.");
            permissions.Add(PermissionId.TryParse(reader.GetString(), out var id) ? id : throw new FrameException("An open permission is an id of the form per_…."));
        }

        return reader.TokenType == JsonTokenType.EndArray ? permissions : throw new FrameException("'openPermissions' is a list of ids.");
    }
}
