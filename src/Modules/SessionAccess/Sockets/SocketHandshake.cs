using Coordinator.Ports;
using Microsoft.AspNetCore.Http;

namespace Coordinator.Modules.SessionAccess.Sockets;

/// <summary>What must be right before a socket is opened, and its opening.</summary>
internal static class SocketHandshake
{
    public static Problem? Refuse(HttpContext context, string subprotocol)
    {
        if (!context.WebSockets.IsWebSocketRequest) return new("websocket_required", "This route is a WebSocket.", ProblemKind.Malformed);
        return context.WebSockets.WebSocketRequestedProtocols.Contains(subprotocol, StringComparer.Ordinal)
            ? null
            : new("subprotocol_unsupported", $"Offer the WebSocket subprotocol {subprotocol}.", ProblemKind.Malformed);
    }

    /// <summary>Opens it. What the request said, its credential among it, is held no longer than that: a socket is open for hours.</summary>
    public static async Task<FrameSocket> AcceptAsync(HttpContext context, string subprotocol, TimeProvider time)
    {
        var socket = await context.WebSockets.AcceptWebSocketAsync(subprotocol);
        context.Request.Headers.Clear();
        return new(socket, time);
    }
}
