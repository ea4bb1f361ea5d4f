using System.Buffers;
using System.Net.WebSockets;
using System.Text;

namespace Coordinator.Modules.SessionAccess.Sockets;

/// <summary>What arrived on a socket.</summary>
internal enum FrameKind
{
    Text,
    Binary,
    TooLarge,
    /// <summary>The peer closed, or is gone.</summary>
    Closed,
}

/// <summary>One frame; its bytes are valid until the next one is received.</summary>
internal readonly record struct ReceivedFrame(FrameKind Kind, ReadOnlyMemory<byte> Utf8);

/// <summary>How a socket is closed: a code of docs/protocol.md and a reason for people.</summary>
internal sealed record SocketClose(int Code, string Reason)
{
    public const int ProtocolError = 4400;
    public const int Credential = 4401;
    public const int NotFound = 4404;
    public const int Slow = 4408;
    public const int Replaced = 4409;
    public const int Gone = 4410;
    public const int Restarting = 1012;
    public const int Failed = 1011;

    /// <summary>The peer is gone already; there is nobody to tell.</summary>
    public static SocketClose PeerLeft { get; } = new(1000, string.Empty);
}

/// <summary>
/// A WebSocket of whole text frames of bounded size. One receives and one sends at a time. While nothing arrives no
/// buffer is held; a peer that does not take what is sent is given up after <see cref="SendTimeout"/>.
/// </summary>
internal sealed class FrameSocket(WebSocket socket, TimeProvider time) : IDisposable
{
    public const int MaxFrameBytes = 256 * 1024;

    public static readonly TimeSpan SendTimeout = TimeSpan.FromSeconds(10);
    public static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(2);

    private const int FirstBuffer = 4 * 1024;
    private const int MaxReasonBytes = 123;

    private readonly CancellationTokenSource sending = new(Timeout.InfiniteTimeSpan, time);
    private byte[]? buffer;
    /// <summary>What <see cref="BeginReceive"/> began and <see cref="ReceiveAsync"/> has not taken yet.</summary>
    private Task<ReceivedFrame>? begun;

    /// <summary>The next frame. Never throws for what a peer or a network does.</summary>
    public ValueTask<ReceivedFrame> ReceiveAsync()
    {
        var receiving = begun ?? ReceiveNextAsync();
        begun = null;
        return new(receiving);
    }

    /// <summary>Begins to receive the frame that <see cref="ReceiveAsync"/> takes next, whoever calls that: one who waits for something beside it may go.</summary>
    public Task BeginReceive() => begun ??= ReceiveNextAsync();

    /// <summary>Sends one text frame; null when it was handed to the network, otherwise how this socket ends.</summary>
    public async ValueTask<SocketClose?> SendAsync(ReadOnlyMemory<byte> utf8)
    {
        sending.CancelAfter(SendTimeout);
        try
        {
            await socket.SendAsync(utf8, WebSocketMessageType.Text, endOfMessage: true, sending.Token);
            sending.CancelAfter(Timeout.InfiniteTimeSpan);
            return null;
        }
        catch (OperationCanceledException) when (sending.IsCancellationRequested)
        {
            return new(SocketClose.Slow, "What was sent was not taken; resume after the last event.");
        }
        catch (Exception failure) when (IsPeerGone(failure))
        {
            return SocketClose.PeerLeft;
        }
    }

    /// <summary>Says goodbye; bounded. Receiving may go on until the peer has answered.</summary>
    public async Task CloseAsync(SocketClose close)
    {
        if (socket.State is not (WebSocketState.Open or WebSocketState.CloseReceived)) return;
        using var timeout = new CancellationTokenSource(CloseTimeout, time);
        try
        {
            await socket.CloseOutputAsync((WebSocketCloseStatus)close.Code, Shorten(close.Reason), timeout.Token);
        }
        catch (Exception failure) when (IsPeerGone(failure))
        {
            socket.Abort();
        }
    }

    /// <summary>Says goodbye and waits, bounded, until the peer has heard it. <paramref name="receiving"/> is a receive under way, if one is.</summary>
    public async Task FarewellAsync(SocketClose close, Task? receiving = null)
    {
        await CloseAsync(close);
        await WithinAsync(DrainAsync(receiving));
    }

    /// <summary>Waits for something that ends by itself soon; when it does not, ends the socket under it.</summary>
    public async Task WithinAsync(Task task)
    {
        using var timeout = new CancellationTokenSource();
        var first = await Task.WhenAny(task, Task.Delay(CloseTimeout, time, timeout.Token));
        await timeout.CancelAsync();
        if (first != task) socket.Abort();
        await task;
    }

    private async Task DrainAsync(Task? receiving)
    {
        if (receiving is not null) await receiving;
        while ((await ReceiveAsync()).Kind != FrameKind.Closed)
        {
        }
    }

    public void Dispose()
    {
        ReturnBuffer();
        sending.Dispose();
        socket.Dispose();
    }

    private async Task<ReceivedFrame> ReceiveNextAsync()
    {
        ReturnBuffer();
        try
        {
            var first = await socket.ReceiveAsync(Memory<byte>.Empty, CancellationToken.None);
            if (first.MessageType == WebSocketMessageType.Close) return new(FrameKind.Closed, default);
            if (first.EndOfMessage) return new(KindOf(first.MessageType), default);
            return await ReceiveBodyAsync();
        }
        catch (Exception failure) when (IsPeerGone(failure))
        {
            return new(FrameKind.Closed, default);
        }
    }

    private async ValueTask<ReceivedFrame> ReceiveBodyAsync()
    {
        buffer = ArrayPool<byte>.Shared.Rent(FirstBuffer);
        var used = 0;
        while (true)
        {
            if (used == buffer.Length) Grow();
            var part = await socket.ReceiveAsync(buffer.AsMemory(used), CancellationToken.None);
            if (part.MessageType == WebSocketMessageType.Close) return new(FrameKind.Closed, default);
            used += part.Count;
            if (used > MaxFrameBytes) return new(FrameKind.TooLarge, default);
            if (part.EndOfMessage) return new(KindOf(part.MessageType), buffer.AsMemory(0, used));
        }
    }

    private void Grow()
    {
        var larger = ArrayPool<byte>.Shared.Rent(buffer!.Length * 2);
        buffer.CopyTo(larger.AsSpan());
        ReturnBuffer();
        buffer = larger;
    }

    private void ReturnBuffer()
    {
        if (buffer is null) return;
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = null;
    }

    private static FrameKind KindOf(WebSocketMessageType type) => type == WebSocketMessageType.Text ? FrameKind.Text : FrameKind.Binary;

    private static bool IsPeerGone(Exception failure) => failure is WebSocketException or IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException;

    private static string Shorten(string reason)
    {
        if (Encoding.UTF8.GetByteCount(reason) <= MaxReasonBytes) return reason;
        var length = Math.Min(reason.Length, MaxReasonBytes - 3);
        while (Encoding.UTF8.GetByteCount(reason.AsSpan(0, length)) > MaxReasonBytes - 3 || char.IsHighSurrogate(reason[length - 1])) length--;
        return string.Concat(reason.AsSpan(0, length), "…");
    }
}
