using System.Buffers;
using System.Net.Sockets;

namespace Coordinator.Modules.Sandboxes.Egress;

/// <summary>
/// Moves bytes both ways between a box and the outside until the outside has no more to say, either side breaks, or
/// nothing moved for the idle time. A box that says no more is passed on as such: the answer still comes.
/// </summary>
internal sealed class TunnelPump(EgressTunnels counters, TimeSpan idle, TimeProvider time)
{
    private const int BufferBytes = 32 * 1024;

    public async Task RunAsync(Stream box, Socket outside, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using var timer = time.CreateTimer(_ => ending.Cancel(), null, idle, Timeout.InfiniteTimeSpan);
        await using var remote = new NetworkStream(outside, ownsSocket: false);
        var outward = SendAsync(box, remote, outside, timer, ending);
        await MoveAsync(remote, box, timer, counters.CountIn, ending.Token);
        await ending.CancelAsync();
        await outward;
    }

    private async Task SendAsync(Stream box, NetworkStream remote, Socket outside, ITimer timer, CancellationTokenSource ending)
    {
        var wasRead = await MoveAsync(box, remote, timer, counters.CountOut, ending.Token);
        if (!wasRead || !TryShutdown(outside)) await ending.CancelAsync();
    }

    private static bool TryShutdown(Socket outside)
    {
        try
        {
            outside.Shutdown(SocketShutdown.Send);
            return true;
        }
        catch (SocketException)
        {
            // The outside has gone at the same moment.
            return false;
        }
    }

    /// <summary>True when the source came to its end; false when either side broke or the pump was ended.</summary>
    private async Task<bool> MoveAsync(Stream source, Stream target, ITimer timer, Action<int> count, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            while (true)
            {
                var read = await source.ReadAsync(buffer, cancellationToken);
                if (read == 0) return true;
                await target.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                timer.Change(idle, Timeout.InfiniteTimeSpan);
                count(read);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // A connection that breaks is how connections end; the other side is told by the close.
            return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
