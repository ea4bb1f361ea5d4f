using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;

namespace Coordinator.Sandbox.Bridge;

/// <summary>A frame from the control plane (docs/protocol.md, section 4).</summary>
internal abstract record HostFrame
{
    private HostFrame()
    {
    }

    public sealed record Welcome(int Protocol, string SpoolId, long AckedN, BridgeWindow Window, BoxSettings Settings) : HostFrame;

    public sealed record Ack(long N, BridgeWindow Window) : HostFrame;

    public sealed record Prompt(string RequestId, PromptRequest Request) : HostFrame;

    public sealed record Cancel(string RequestId, MessageId Message) : HostFrame;

    public sealed record Permission(string RequestId, PermissionId Id, bool Allow, string? Note) : HostFrame;

    public sealed record Shutdown(string RequestId, string Reason) : HostFrame;

    /// <summary>A request this program does not know, or whose parameters make no sense: it is answered, not ignored.</summary>
    public sealed record Unanswerable(string RequestId, string Error) : HostFrame;

    /// <summary>A frame of a type this program does not know; a newer control plane may send it.</summary>
    public sealed record Unknown(string Type) : HostFrame;
}

/// <summary>A message to run. <see cref="History"/> is for a conversation that is new to the agent.</summary>
internal sealed record PromptRequest(MessageId Message, string Text, AgentModel Model, string? History);
