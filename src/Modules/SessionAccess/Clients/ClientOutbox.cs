using System.Buffers;
using System.Threading.Channels;
using Coordinator.Modules.SessionAccess.Sockets;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.SessionAccess.Clients;

/// <summary>
/// What waits to be sent to one client, in order, bounded in number and in bytes; the one writer of its socket. Batches that wait
/// together go out as one frame. Who adds to a full outbox waits, so that the subscription's own bound is what a slow client meets.
/// </summary>
internal sealed class ClientOutbox(FrameSocket socket)
{
    private const int Capacity = 64;

    /// <summary>Of batches: one frame that is being sent, and one that is ready to follow it.</summary>
    private const int MaxWaitingBytes = 2 * FrameSocket.MaxFrameBytes;

    private readonly ByteRoom room = new(MaxWaitingBytes);
    private readonly Channel<Item> waiting = Channel.CreateBounded<Item>(new BoundedChannelOptions(Capacity) { SingleReader = true });
    private readonly List<EventBatch> together = [];

    public ValueTask AddAsync(ReadOnlyMemory<byte> frame, CancellationToken cancellationToken) => waiting.Writer.WriteAsync(new(frame, null), cancellationToken);

    public async ValueTask AddAsync(EventBatch batch, CancellationToken cancellationToken)
    {
        await room.TakeAsync(batch.Bytes, cancellationToken);
        await waiting.Writer.WriteAsync(new(default, batch), cancellationToken);
    }

    /// <summary>Sends until <paramref name="ended"/>, then what is waiting still; returns how the socket ends when sending ended it.</summary>
    public async Task<SocketClose> SendAllAsync(CancellationToken ended)
    {
        using var closing = ended.UnsafeRegister(static state => ((Channel<Item>)state!).Writer.TryComplete(), waiting);
        while (await waiting.Reader.WaitToReadAsync(CancellationToken.None))
        {
            while (waiting.Reader.TryRead(out var item))
            {
                var close = item.Batch is { } batch ? await SendEventsAsync(batch) : await socket.SendAsync(item.Frame);
                if (close is not null) return close;
            }
        }

        return SocketClose.PeerLeft;
    }

    private async ValueTask<SocketClose?> SendEventsAsync(EventBatch first)
    {
        Gather(first);
        if (together.Count > 1)
        {
            if (await SendJoinedAsync() is { } close) return close;
        }
        else
        {
            foreach (var frame in SharedFrames.Of(first))
                if (await socket.SendAsync(frame) is { } close) return close;
        }

        if (together.FindLast(batch => batch.View is not null)?.View is { } view && await socket.SendAsync(SharedFrames.Of(view)) is { } last) return last;
        room.Free(together.Sum(batch => batch.Bytes));
        together.Clear();
        return null;
    }

    /// <summary>In memory that is held only while it is sent: a socket that is idle afterwards keeps none.</summary>
    private async ValueTask<SocketClose?> SendJoinedAsync()
    {
        var length = SharedFrames.LengthOf(together);
        var frame = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            SharedFrames.Join(together, frame.AsSpan(0, length));
            return await socket.SendAsync(frame.AsMemory(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(frame);
        }
    }

    private void Gather(EventBatch first)
    {
        together.Add(first);
        var used = first.Utf8.Length;
        while (waiting.Reader.TryPeek(out var next) && next.Batch is { } batch && SharedFrames.Fits(used, batch))
        {
            waiting.Reader.TryRead(out _);
            together.Add(batch);
            used += 1 + batch.Utf8.Length;
        }
    }

    private readonly record struct Item(ReadOnlyMemory<byte> Frame, EventBatch? Batch);
}
