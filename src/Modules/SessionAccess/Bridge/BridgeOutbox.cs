using System.Threading.Channels;
using Coordinator.Modules.SessionAccess.Sockets;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.SessionAccess.Bridge;

/// <summary>
/// The session's way to its box: frames in order, bounded, never blocking the session. Acknowledgements are cumulative,
/// so only the newest waits, behind what else there is. A box that does not take its frames is closed: it reconnects, and
/// the session sends again whatever no event has confirmed.
/// </summary>
internal sealed class BridgeOutbox(FrameSocket socket, BoxBriefings briefings, SessionKey key) : IBridgeSink
{
    private const int Capacity = 256;

    private readonly Lock gate = new();
    private readonly Queue<HostFrame> waiting = new();
    private readonly Channel<bool> signal = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    private HostFrame.Ack? acknowledged;
    private string? expected;
    private SocketClose? closing;

    public void Send(HostFrame frame)
    {
        lock (gate)
        {
            if (closing is not null) return;
            if (frame is HostFrame.Ack ack) acknowledged = ack;
            else if (waiting.Count < Capacity) waiting.Enqueue(frame);
            else closing = new(SocketClose.Failed, "The box does not take what it is sent; reconnect.");
        }

        signal.Writer.TryWrite(true);
    }

    public void Expect(string model)
    {
        lock (gate) expected = model;
        signal.Writer.TryWrite(true);
    }

    public void Close(LinkCloseReason reason, string detail)
    {
        lock (gate) closing ??= new(CodeOf(reason), detail);
        signal.Writer.TryWrite(true);
    }

    /// <summary>Sends until the session closes the link or <paramref name="ended"/>.</summary>
    public async Task<SocketClose> SendAllAsync(CancellationToken ended)
    {
        Ahead? ahead = null;
        while (true)
        {
            while (Next() is { } frame)
            {
                var known = frame is HostFrame.Prompt prompt && ahead?.Model == prompt.Model ? ahead.Address : null;
                if (frame is HostFrame.Prompt) ahead = null;
                var bytes = HostFrameWriter.Write(frame, await briefings.ForAsync(key, frame, known, ended));
                if (await socket.SendAsync(bytes) is { } close) return close;
            }

            lock (gate)
            {
                if (closing is not null) return closing;
            }

            if (TakeExpected() is { } model) ahead = await LookAheadAsync(model, ended);
            else await signal.Reader.ReadAsync(ended);
        }
    }

    /// <summary>Where the model of a prompt is that is still being made durable: no older, then, than the prompt. Null when it cannot be told yet.</summary>
    private async ValueTask<Ahead?> LookAheadAsync(string model, CancellationToken ended)
    {
        try
        {
            return new(model, await briefings.AddressAsync(key.Organization, model, ended));
        }
        catch (PortException)
        {
            return null; // the prompt looks for itself, and says so when it fails too
        }
    }

    private string? TakeExpected()
    {
        lock (gate)
        {
            var model = expected;
            expected = null;
            return model;
        }
    }

    private HostFrame? Next()
    {
        lock (gate)
        {
            if (waiting.TryDequeue(out var frame))
            {
                if (frame is HostFrame.Prompt) expected = null;
                return frame;
            }

            frame = acknowledged;
            acknowledged = null;
            return frame;
        }
    }

    internal static int CodeOf(LinkCloseReason reason) => reason switch
    {
        LinkCloseReason.HostRestarting => SocketClose.Restarting,
        LinkCloseReason.Replaced => SocketClose.Replaced,
        LinkCloseReason.NotWanted => SocketClose.Gone,
        LinkCloseReason.ProtocolError => SocketClose.ProtocolError,
        _ => SocketClose.Failed,
    };

    private sealed record Ahead(string Model, AgentModel Address);
}
