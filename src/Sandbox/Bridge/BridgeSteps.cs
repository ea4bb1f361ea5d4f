using Coordinator.Ports;
using Coordinator.Sandbox.Events;

namespace Coordinator.Sandbox.Bridge;

/// <summary>What happens to the bridge.</summary>
internal abstract record BridgeInput
{
    private BridgeInput()
    {
    }

    /// <summary>A socket is open; nothing has been said on it.</summary>
    public sealed record Connected : BridgeInput;

    public sealed record Disconnected : BridgeInput;

    public sealed record Received(HostFrame Frame) : BridgeInput;

    /// <summary>Something to tell the control plane.</summary>
    public sealed record Happened(BoxEvent Event) : BridgeInput;

    /// <summary>A turn is over. Only the first end of a message counts.</summary>
    public sealed record TurnOver(MessageId Message, MessageEnd End) : BridgeInput;

    /// <summary>The agent asks; the question is open until it is decided or its turn ends.</summary>
    public sealed record Asked(PermissionId Permission, BoxEvent Event) : BridgeInput;

    /// <summary>The agent has been told the decision.</summary>
    public sealed record Decided(PermissionId Permission) : BridgeInput;

    /// <summary>"Accepted" is on disk: the message may be run.</summary>
    public sealed record Remembered(MessageId Message) : BridgeInput;

    /// <summary>"Accepted" could not be written down: the message must not be run.</summary>
    public sealed record NotRemembered(MessageId Message, MessageEnd End) : BridgeInput;

    public sealed record Beat(bool Busy, long RssBytes, long DiskBytes) : BridgeInput;
}

/// <summary>What the bridge wants done, in this order.</summary>
internal abstract record BridgeOutput
{
    private BridgeOutput()
    {
    }

    /// <summary>Send a frame that is not numbered.</summary>
    public sealed record Send(ReadOnlyMemory<byte> Frame) : BridgeOutput;

    /// <summary>Send the spooled event <paramref name="N"/>.</summary>
    public sealed record SendEvent(long N) : BridgeOutput;

    /// <summary>Spool an event before anything else is done. <paramref name="Durable"/>: it must survive a crash of the machine.</summary>
    public sealed record Append(long N, ReadOnlyMemory<byte> Body, bool Durable) : BridgeOutput;

    /// <summary>Everything up to <paramref name="N"/> is the control plane's.</summary>
    public sealed record Trim(long N) : BridgeOutput;

    /// <summary>Begin a new spool that starts with the old one's events from <paramref name="KeepFrom"/>, renumbered from 1.</summary>
    public sealed record Renew(string SpoolId, long KeepFrom) : BridgeOutput;

    /// <summary>
    /// Write this down, durably, before anything that follows. An accepted message is answered at once with
    /// <see cref="BridgeInput.Remembered"/> or <see cref="BridgeInput.NotRemembered"/>.
    /// </summary>
    public sealed record Remember(LedgerEntry Entry) : BridgeOutput;

    /// <summary>The control plane said what this box is for.</summary>
    public sealed record Configure(BoxSettings Settings) : BridgeOutput;

    public sealed record StartTurn(PromptRequest Request) : BridgeOutput;

    public sealed record CancelTurn(MessageId Message) : BridgeOutput;

    public sealed record Decide(PermissionId Permission, bool Allow, string? Note) : BridgeOutput;

    public sealed record Shutdown(string Reason) : BridgeOutput;

    /// <summary>Close the socket; dial again.</summary>
    public sealed record Close(int Code, string Reason) : BridgeOutput;
}
