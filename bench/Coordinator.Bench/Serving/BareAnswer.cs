using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Coordinator.Bench.Serving;

/// <summary>The least that a server can do for a client that comes back: it takes its WebSocket and one frame, answers with the same bytes and keeps the socket.</summary>
internal static class BareAnswer
{
    private const int Part = 4_096;

    public static Task<int> RunAsync() => BareKestrel.RunAsync(static app => app.Map("/answer", KeepAsync), static () => Task.CompletedTask);

    private static async Task KeepAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        await AnswerAsync(socket, context.RequestAborted);
        await socket.ReceiveAsync(Memory<byte>.Empty, context.RequestAborted); // until it leaves, and for nothing that is kept
    }

    private static async Task AnswerAsync(WebSocket socket, CancellationToken cancellationToken)
    {
        var buffer = new byte[Part];
        while (true)
        {
            var part = await socket.ReceiveAsync(buffer.AsMemory(), cancellationToken);
            await socket.SendAsync(buffer.AsMemory(0, part.Count), WebSocketMessageType.Text, part.EndOfMessage, cancellationToken);
            if (part.EndOfMessage) return;
        }
    }
}
