using System.Net.WebSockets;
using Coordinator.Sandbox.Bridge;

namespace Coordinator.Sandbox.HostLink;

/// <summary>A bridge connection over a WebSocket, frames bounded.</summary>
internal sealed class BridgeWebSocket(WebSocket socket, TimeProvider time) : IBridgeSocket
{
    /// <summary>Four times what the protocol allows: a box is strict in what it sends, and tolerant of a newer host.</summary>
    private const int MaxFrameBytes = 1024 * 1024;
    private const int FirstBuffer = 16 * 1024;
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(2);
    private byte[] buffer = new byte[FirstBuffer];

    public int? CloseCode => socket.CloseStatus is { } status ? (int)status : null;

    public async ValueTask SendAsync(ReadOnlyMemory<byte> frame, CancellationToken cancellationToken)
    {
        try
        {
            await socket.SendAsync(frame, WebSocketMessageType.Text, endOfMessage: true, cancellationToken);
        }
        catch (Exception exception) when (IsOfConnection(exception, cancellationToken))
        {
            throw new IOException("The bridge's connection broke while sending.", exception);
        }
    }

    public async ValueTask<ReadOnlyMemory<byte>?> ReceiveAsync(CancellationToken cancellationToken)
    {
        var length = 0;
        try
        {
            while (true)
            {
                var result = await socket.ReceiveAsync(buffer.AsMemory(length), cancellationToken);
                if (result.MessageType == WebSocketMessageType.Close) return null;
                if (result.MessageType == WebSocketMessageType.Binary) throw new InvalidDataException("A frame is binary.");
                length += result.Count;
                if (result.EndOfMessage) return buffer.AsMemory(0, length);
                if (length == buffer.Length) Grow();
            }
        }
        catch (Exception exception) when (IsOfConnection(exception, cancellationToken))
        {
            throw new IOException("The bridge's connection broke while receiving.", exception);
        }
    }

    public async ValueTask CloseAsync(int code, string reason, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(CloseTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            await socket.CloseOutputAsync((WebSocketCloseStatus)code, reason, either.Token);
        }
        catch (Exception exception) when (exception is WebSocketException or InvalidOperationException or OperationCanceledException or ObjectDisposedException)
        {
            // It is closed already, which is what was wanted.
            return;
        }
    }

    public ValueTask DisposeAsync()
    {
        socket.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>A socket whose other end did not answer its ping says that it was cancelled, which nobody asked for.</summary>
    private static bool IsOfConnection(Exception exception, CancellationToken cancellationToken) =>
        exception is WebSocketException or InvalidOperationException or ObjectDisposedException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    private void Grow()
    {
        if (buffer.Length >= MaxFrameBytes) throw new InvalidDataException("A frame is larger than any may be.");
        Array.Resize(ref buffer, buffer.Length * 4);
    }
}
