using System.Buffers;
using System.Text.Json;
using Coordinator.Modules.SessionAccess.Sockets;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.SessionAccess.Clients;

/// <summary>
/// Reads frames of clients. Unknown fields are skipped; what is missing or of the wrong kind is a <see cref="FrameException"/>. Only what a
/// person wrote may be no Unicode: a page that sends a prompt again after each close would close its socket for ever.
/// </summary>
internal static class ClientFrameReader
{
    private const int MaxClientIdLength = 200;
    private const int MaxTypeLength = 40;

    private static readonly SearchValues<char> VisibleAscii = SearchValues.Create(string.Concat(Enumerable.Range(0x21, 0x7E - 0x20).Select(code => (char)code)));

    public static ClientFrame Read(ReadOnlySpan<byte> utf8) => Build(JsonFields.Guard(utf8, ReadFields));

    private static Fields ReadFields(ref Utf8JsonReader reader)
    {
        var fields = default(Fields);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            switch (name)
            {
                case "type": fields.Type = JsonFields.OptionalText(ref reader, name); break;
                case "after": fields.After = JsonFields.OptionalText(ref reader, name); break;
                case "clientId": fields.ClientId = JsonFields.OptionalText(ref reader, name); break;
                case "text": fields.Text = Text(ref reader, ref fields.IsMalformed); break;
                case "model": fields.Model = JsonFields.OptionalText(ref reader, name); break;
                case "retryOf": fields.RetryOf = JsonFields.OptionalText(ref reader, name); break;
                case "messageId": fields.MessageId = JsonFields.OptionalText(ref reader, name); break;
                case "before": fields.Before = JsonFields.OptionalText(ref reader, name); break;
                case "permissionId": fields.PermissionId = JsonFields.OptionalText(ref reader, name); break;
                case "decision": fields.Decision = JsonFields.OptionalText(ref reader, name); break;
                case "note": fields.Note = JsonFields.OptionalText(ref reader, name); break;
                case "id": fields.Id = JsonFields.OptionalText(ref reader, name); break;
                default: reader.Skip(); break;
            }
        }

        return fields;
    }

    private static ClientFrame Build(Fields fields) => JsonFields.Required(fields.Type, "type") switch
    {
        "subscribe" => new ClientFrame.Subscribe(Cursor(fields.After)),
        "prompt" when fields.IsMalformed => new ClientFrame.Malformed("prompt", ClientId(fields.ClientId)),
        "edit" when fields.IsMalformed => new ClientFrame.Malformed("edit", null),
        "prompt" => new ClientFrame.Prompt(ClientId(fields.ClientId), fields.Text, fields.Model, OptionalId<MessageId>(fields.RetryOf, "retryOf")),
        "cancel" => new ClientFrame.Cancel(OptionalId<MessageId>(fields.MessageId, "messageId")),
        "edit" => new ClientFrame.Edit(Id<MessageId>(fields.MessageId, "messageId"), fields.Text),
        "move" => new ClientFrame.Move(Id<MessageId>(fields.MessageId, "messageId"), OptionalId<MessageId>(fields.Before, "before")),
        "permission" => new ClientFrame.Permission(Id<PermissionId>(fields.PermissionId, "permissionId"), Decision(fields.Decision), fields.Note),
        "ping" => new ClientFrame.Ping(fields.Id),
        var type => new ClientFrame.Unknown(type.Length <= MaxTypeLength ? type : type[..MaxTypeLength]),
    };

    private static string? Text(ref Utf8JsonReader reader, ref bool isMalformed)
    {
        try
        {
            return JsonFields.OptionalText(ref reader, "text");
        }
        catch (InvalidOperationException)
        {
            isMalformed = true;
            return null;
        }
    }

    private static SessionCursor? Cursor(string? text)
    {
        if (text is null) return null;
        return SessionCursor.TryParse(text, out var cursor) ? cursor : throw new FrameException("'after' is not a cursor.");
    }

    private static string ClientId(string? text)
    {
        var id = JsonFields.Required(text, "clientId");
        return id.Length <= MaxClientIdLength && !id.AsSpan().ContainsAnyExcept(VisibleAscii) ? id : throw new FrameException("'clientId' is 1 to 200 visible ASCII characters.");
    }

    private static PermissionDecision? Decision(string? text) => text switch
    {
        "once" => PermissionDecision.Once,
        "session" => PermissionDecision.Session,
        "reject" => PermissionDecision.Reject,
        _ => null,
    };

    private static TId Id<TId>(string? text, string field)
        where TId : struct, IPrefixedId<TId> => OptionalId<TId>(JsonFields.Required(text, field), field)!.Value;

    private static TId? OptionalId<TId>(string? text, string field)
        where TId : struct, IPrefixedId<TId>
    {
        if (text is null) return null;
        return PrefixedId.TryParse(TId.Prefix, text, out var value) ? TId.From(value) : throw new FrameException($"'{field}' is not an id of the form {TId.Prefix}_….");
    }

    private struct Fields
    {
        public string? Type, After, ClientId, Text, Model, RetryOf, MessageId, Before, PermissionId, Decision, Note, Id;
        public bool IsMalformed;
    }
}
