using System.Collections.Concurrent;
using System.Net.Sockets;

namespace Coordinator.Tests.Support.Network;

/// <summary>One client's connection through a <see cref="FaultProxy"/>, and the one to the server that belongs to it.</summary>
internal sealed class ProxiedConnection(Socket client, Socket server, Func<NetworkFault> fault, Action shown, Func<ReadOnlyMemory<byte>, CancellationToken, Task> again) : IDisposable
{
    private readonly ConcurrentQueue<byte[]> asked = [];
    private long toServer;
    private long toClient;
    private volatile bool isAnswerLost;
    private volatile bool lostToServer;
    private volatile bool lostToClient;

    /// <summary>Something of it was swallowed: what follows would make no sense to who reads it, and passes in no case.</summary>
    public bool HasLost => lostToServer || lostToClient;

    /// <summary>Until both ends are done, or the connection is cut.</summary>
    public Task PumpAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(PumpAsync(client, server, Direction.ToServer, cancellationToken), PumpAsync(server, client, Direction.ToClient, cancellationToken));

    /// <summary>What went before does not count.</summary>
    public void CountAnew()
    {
        Interlocked.Exchange(ref toServer, 0);
        Interlocked.Exchange(ref toClient, 0);
        isAnswerLost = false;
    }

    /// <summary>Both ends see a reset: neither can take what it has for the whole.</summary>
    public void Cut()
    {
        foreach (var socket in new[] { client, server })
        {
            try
            {
                socket.LingerState = new LingerOption(true, 0);
            }
            catch (Exception closed) when (closed is SocketException or ObjectDisposedException)
            {
                // It is closed already, which is what was wanted.
            }

            socket.Close();
        }
    }

    public void Dispose()
    {
        client.Dispose();
        server.Dispose();
    }

    private async Task PumpAsync(Socket from, Socket to, Direction direction, CancellationToken cancellationToken)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, cancellationToken) is > 0 and var count)
            {
                if (!await PassAsync(buffer.AsMemory(0, count), to, direction, cancellationToken)) return;
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception ended) when (ended is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // One end is gone; the other is to know.
            Cut();
        }
    }

    /// <summary>False when that was the end of the connection.</summary>
    private async Task<bool> PassAsync(Memory<byte> data, Socket to, Direction direction, CancellationToken cancellationToken)
    {
        var now = fault();
        if (now is not NetworkFault.BlackHole && (direction == Direction.ToServer ? lostToServer : lostToClient)) return End();
        switch (now)
        {
            case NetworkFault.Delayed delayed:
                shown();
                await Task.Delay(delayed.By, delayed.Time, cancellationToken);
                break;
            case NetworkFault.Dripped dripped when direction == Direction.ToClient:
                await DripAsync(data, dripped, to, cancellationToken);
                return true;
            case NetworkFault.BlackHole hole when hole.In == direction:
                lostToServer |= direction == Direction.ToServer;
                lostToClient |= direction == Direction.ToClient;
                shown();
                Interlocked.MemoryBarrier(); // who heals sets the fault and then looks for what was lost; this is the other way about, and one of both sees the other
                return fault() is NetworkFault.BlackHole || End();
            case NetworkFault.Corrupt corrupt when corrupt.In == direction:
                shown();
                data.Span[corrupt.At] ^= 1;
                break;
            case NetworkFault.CutAfter cut when cut.In == direction:
                var room = (int)Math.Clamp(cut.Bytes - Passed(direction, data.Length), 0, data.Length);
                if (room > 0) await SendAsync(data[..room], to, cancellationToken);
                return room == data.Length || End();
            case NetworkFault.Duplicated when direction == Direction.ToServer:
                asked.Enqueue(data.ToArray());
                break;
            case NetworkFault.Duplicated when !asked.IsEmpty:
                await AskAgainAsync(cancellationToken);
                break;
            case NetworkFault.AnswerLost lost when direction == Direction.ToServer:
                isAnswerLost |= data.Span.IndexOf(lost.Request) >= 0;
                break;
            case NetworkFault.AnswerLost when isAnswerLost:
            case NetworkFault.Refused:
                return End();
        }

        await SendAsync(data, to, cancellationToken);
        return true;
    }

    private async Task DripAsync(Memory<byte> data, NetworkFault.Dripped dripped, Socket to, CancellationToken cancellationToken)
    {
        shown();
        for (var sent = 0; sent < data.Length; sent++)
        {
            await Task.Delay(dripped.Each, dripped.Time, cancellationToken);
            await SendAsync(data.Slice(sent, 1), to, cancellationToken);
        }
    }

    /// <summary>What was sent since the last answer arrives a second time.</summary>
    private async Task AskAgainAsync(CancellationToken cancellationToken)
    {
        using var whole = new MemoryStream();
        while (asked.TryDequeue(out var piece)) whole.Write(piece);
        shown();
        await again(whole.ToArray(), cancellationToken);
    }

    private bool End()
    {
        shown();
        Cut();
        return false;
    }

    /// <summary>How many bytes went in this direction before these.</summary>
    private long Passed(Direction direction, int more) => (direction == Direction.ToServer ? Interlocked.Add(ref toServer, more) : Interlocked.Add(ref toClient, more)) - more;

    public static async Task SendAsync(ReadOnlyMemory<byte> data, Socket to, CancellationToken cancellationToken)
    {
        while (data.Length > 0) data = data[await to.SendAsync(data, cancellationToken)..];
    }
}
