using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Xunit;

namespace Coordinator.Tests.Modules.SessionAccess;

/// <summary>A test's end of a WebSocket: frames in order, each waited for with a bound.</summary>
internal sealed class SocketClient(ClientWebSocket socket) : IDisposable
{
    public static readonly TimeSpan Bound = TimeSpan.FromSeconds(90);

    /// <summary>Bytes of all frames that came so far.</summary>
    public long Received { get; private set; }

    public Task SendAsync(string text) => SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text);

    public async Task SendAsync(byte[] bytes, WebSocketMessageType type) => await socket.SendAsync(bytes, type, true, default).WaitAsync(Bound);

    /// <summary>The next frame; a close is a failure of the test.</summary>
    public async Task<JsonElement> NextAsync()
    {
        var (text, close) = await ReceiveAsync();
        Assert.True(close is null, $"Closed with {close} {socket.CloseStatusDescription} instead of a frame.");
        return JsonDocument.Parse(text).RootElement;
    }

    /// <summary>The next frame of a type; others before it are passed over.</summary>
    public async Task<JsonElement> NextAsync(string type)
    {
        while (true)
        {
            var frame = await NextAsync();
            if (frame.GetProperty("type").GetString() == type) return frame;
        }
    }

    /// <summary>The next frame, or null with the code of a close.</summary>
    public async Task<(JsonElement? Frame, int Close)> NextOrCloseAsync()
    {
        var (text, close) = await ReceiveAsync();
        return close is { } code ? (null, code) : (JsonDocument.Parse(text).RootElement, 0);
    }

    /// <summary>The close code; frames before it are passed over.</summary>
    public async Task<(int Code, string Reason)> ClosedAsync()
    {
        while (true)
        {
            var (_, close) = await ReceiveAsync();
            if (close is not { } code) continue;
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, default).WaitAsync(Bound);
            return (code, socket.CloseStatusDescription ?? string.Empty);
        }
    }

    public void Dispose() => socket.Dispose();

    private async Task<(string Text, int? Close)> ReceiveAsync()
    {
        using var text = new MemoryStream();
        var buffer = new byte[64 * 1024];
        while (true)
        {
            var part = await socket.ReceiveAsync(buffer.AsMemory(), default).AsTask().WaitAsync(Bound);
            if (part.MessageType == WebSocketMessageType.Close) return (string.Empty, (int)socket.CloseStatus!.Value);
            text.Write(buffer, 0, part.Count);
            Received += part.Count;
            if (part.EndOfMessage) return (Encoding.UTF8.GetString(text.ToArray()), null);
        }
    }
}
