using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.SessionAccess.Clients;

/// <summary>What a client sends over its WebSocket (docs/protocol.md, section 3).</summary>
internal abstract record ClientFrame
{
    private ClientFrame()
    {
    }

    public sealed record Subscribe(SessionCursor? After) : ClientFrame;

    public sealed record Prompt(string ClientId, string? Text, string? Model, MessageId? RetryOf) : ClientFrame;

    public sealed record Cancel(MessageId? Message) : ClientFrame;

    public sealed record Edit(MessageId Message, string? Text) : ClientFrame;

    public sealed record Move(MessageId Message, MessageId? Before) : ClientFrame;

    public sealed record Permission(PermissionId Id, PermissionDecision? Decision, string? Note) : ClientFrame;

    public sealed record Ping(string? Id) : ClientFrame;

    /// <summary>A prompt or an edit whose text is no Unicode: refused, and the socket stays.</summary>
    public sealed record Malformed(string Type, string? ClientId) : ClientFrame;

    /// <summary>A well-formed frame of a type this release does not know: refused, and the socket stays.</summary>
    public sealed record Unknown(string Type) : ClientFrame;
}
