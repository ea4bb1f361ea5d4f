using System.Net.Sockets;

namespace Coordinator.Tests.Support.Network;

/// <summary>One client's connection through a <see cref="FaultProxy"/>, and the one to the server that belongs to it.</summary>
internal sealed class ProxiedConnection(Socket client, Socket server, Func<NetworkFault> fault) : IDisposable
{
    private long toServer;
    private long toClient;

    /// <summary>Until both ends are done, or the connection is cut.</summary>
    public Task PumpAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(PumpAsync(client, server, Direction.ToServer, cancellationToken), PumpAsync(server, client, Direction.ToClient, cancellationToken));

    /// <summary>Bytes that went before do not count.</summary>
    public void CountAnew()
    {
        Interlocked.Exchange(ref toServer, 0);
        Interlocked.Exchange(ref toClient, 0);
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
        switch (fault())
        {
            case NetworkFault.Delayed delayed:
                await Task.Delay(delayed.By, delayed.Time, cancellationToken);
                break;
            case NetworkFault.BlackHole hole when hole.In == direction:
                return true;
            case NetworkFault.Corrupt corrupt when corrupt.In == direction:
                data.Span[^1] ^= 1;
                break;
            case NetworkFault.CutAfter cut when cut.In == direction:
                var room = (int)Math.Clamp(cut.Bytes - Passed(direction, data.Length), 0, data.Length);
                if (room > 0) await SendAsync(data[..room], to, cancellationToken);
                if (room == data.Length) return true;
                Cut();
                return false;
            case NetworkFault.Refused:
                Cut();
                return false;
        }

        await SendAsync(data, to, cancellationToken);
        return true;
    }

    /// <summary>How many bytes went in this direction before these.</summary>
    private long Passed(Direction direction, int more) => (direction == Direction.ToServer ? Interlocked.Add(ref toServer, more) : Interlocked.Add(ref toClient, more)) - more;

    private static async Task SendAsync(ReadOnlyMemory<byte> data, Socket to, CancellationToken cancellationToken)
    {
        while (data.Length > 0) data = data[await to.SendAsync(data, cancellationToken)..];
    }
}
