using System.Net.WebSockets;

namespace Coordinator.Bench.Driving;

/// <summary>One end of a WebSocket of whole text frames, with a single growing buffer so that the driver costs little.</summary>
internal sealed class FrameSocket(WebSocket socket, int firstBuffer = 512 * 1024) : IDisposable
{
    private const int ForFewFrames = 16 * 1024;

    private byte[] buffer = new byte[firstBuffer];

    /// <summary>What the other end closed it with, if it did.</summary>
    public int? CloseCode => (int?)socket.CloseStatus;

    /// <param name="keepAlive">After how long a silence the other end is asked whether it is there, and how long it may take to answer; never, and then it is one of many frames, where it is not given.</param>
    public static async Task<FrameSocket> ConnectAsync(Uri host, string path, string? protocol, string? credential, CancellationToken cancellationToken, (TimeSpan Quiet, TimeSpan AnswerWithin)? keepAlive = null)
    {
        var socket = new ClientWebSocket();
        if (keepAlive is var (quiet, answerWithin)) (socket.Options.KeepAliveInterval, socket.Options.KeepAliveTimeout) = (quiet, answerWithin);
        if (protocol is not null) socket.Options.AddSubProtocol(protocol);
        if (credential is not null) socket.Options.SetRequestHeader("Authorization", $"Bearer {credential}");
        try
        {
            await socket.ConnectAsync(new UriBuilder(host) { Scheme = "ws", Path = path }.Uri, cancellationToken);
            return keepAlive is null ? new(socket) : new(socket, ForFewFrames);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public ValueTask SendAsync(ReadOnlyMemory<byte> utf8, CancellationToken cancellationToken) =>
        socket.SendAsync(utf8, WebSocketMessageType.Text, endOfMessage: true, cancellationToken);

    /// <summary>The next frame; its bytes are valid until the one after it.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> ReceiveAsync(CancellationToken cancellationToken)
    {
        for (var used = 0; ;)
        {
            if (used == buffer.Length) Array.Resize(ref buffer, buffer.Length * 2);
            var part = await socket.ReceiveAsync(buffer.AsMemory(used), cancellationToken);
            if (part.MessageType == WebSocketMessageType.Close) throw new WebSocketException($"Closed with {socket.CloseStatus}: {socket.CloseStatusDescription}");
            used += part.Count;
            if (part.EndOfMessage) return buffer.AsMemory(0, used);
        }
    }

    public void Dispose() => socket.Dispose();
}
