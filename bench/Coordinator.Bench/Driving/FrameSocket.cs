using System.Net.WebSockets;

namespace Coordinator.Bench.Driving;

/// <summary>One end of a WebSocket of whole text frames, with a single growing buffer so that the driver costs little.</summary>
internal sealed class FrameSocket(WebSocket socket) : IDisposable
{
    private byte[] buffer = new byte[512 * 1024];

    public static async Task<FrameSocket> ConnectAsync(Uri host, string path, string? protocol, string? credential, CancellationToken cancellationToken)
    {
        var socket = new ClientWebSocket();
        if (protocol is not null) socket.Options.AddSubProtocol(protocol);
        if (credential is not null) socket.Options.SetRequestHeader("Authorization", $"Bearer {credential}");
        await socket.ConnectAsync(new UriBuilder(host) { Scheme = "ws", Path = path }.Uri, cancellationToken);
        return new(socket);
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
