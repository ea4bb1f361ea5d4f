using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Coordinator.Tests.Support.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Coordinator.Tests.Journey;

/// <summary>A host whose side of a session's socket a test plays, one script for each connection; what it is asked over HTTP it keeps.</summary>
internal sealed class ScriptedSocketHost : IAsyncDisposable
{
    private LoopbackServer server = null!;
    private int connections;

    public Uri Address => server.Address;

    /// <summary>The cursor that each connection subscribed after.</summary>
    public ConcurrentQueue<string?> Subscribed { get; } = new();

    /// <summary>The TCP connection that each request came over, sockets and calls alike.</summary>
    public ConcurrentQueue<string> Over { get; } = new();

    /// <summary>Until then nobody who subscribes is told anything.</summary>
    public Task Found { get; set; } = Task.CompletedTask;

    /// <summary>Handshakes that are not answered, before the first that is.</summary>
    public int Unanswered { get; set; }

    /// <summary>The idempotency keys of prompts that came over HTTP; each is taken.</summary>
    public ConcurrentQueue<string> PromptsOverHttp { get; } = new();

    /// <param name="scripts">What each connection does after its subscription; connections beyond stay silent until they are left.</param>
    public static async Task<ScriptedSocketHost> StartAsync(params Func<Peer, Task>[] scripts)
    {
        var host = new ScriptedSocketHost();
        host.server = await LoopbackServer.StartAsync(app =>
        {
            app.UseWebSockets();
            app.Use((context, next) =>
            {
                host.Over.Enqueue(context.Connection.Id);
                return next(context);
            });
            app.MapGet("/v1/sessions/ses_1/ws", context => host.ConnectAsync(context, scripts));
            app.MapGet("/v1/sessions/ses_1/events", () => Results.Json(new { items = new[] { Envelope(1) }, cursor = "1.1", nextCursor = (string?)null }));
            app.MapPost("/v1/sessions/ses_1/messages", (HttpContext context) =>
            {
                host.PromptsOverHttp.Enqueue(context.Request.Headers["Idempotency-Key"].ToString());
                return Results.Json(new { messageId = "msg_http", position = 0 }, statusCode: 202);
            });
        });
        return host;
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    private async Task ConnectAsync(HttpContext context, Func<Peer, Task>[] scripts)
    {
        if (Unanswered > 0)
        {
            Unanswered--;
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }

        using var socket = await context.WebSockets.AcceptWebSocketAsync("coordinator.v1");
        var peer = new Peer(socket, context);
        var subscribe = await peer.ReceiveAsync();
        Subscribed.Enqueue(subscribe!.Value.GetProperty("after").GetString());
        await Found;
        await peer.SendAsync(new { type = "ready", protocol = 1, cursor = subscribe.Value.GetProperty("after").GetString() });
        var number = Interlocked.Increment(ref connections);
        if (number <= scripts.Length) await scripts[number - 1](peer);
        while (await peer.ReceiveAsync() is not null)
        {
        }
    }

    private static object Envelope(long seq) => new { cursor = $"1.{seq}", seq, at = "2026-01-02T03:04:05Z", type = "agent.text", data = new { } };

    /// <summary>The host's end of one connection.</summary>
    internal sealed class Peer(WebSocket socket, HttpContext context)
    {
        public Task SendAsync(object frame) =>
            socket.SendAsync(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(frame)), WebSocketMessageType.Text, true, context.RequestAborted);

        public Task EventsAsync(params long[] seqs) => SendAsync(new { type = "events", events = seqs.Select(Envelope) });

        public Task CloseAsync(int code, string reason) => socket.CloseOutputAsync((WebSocketCloseStatus)code, reason, context.RequestAborted);

        /// <summary>Ends the connection in the middle of a frame.</summary>
        public async Task CutAsync()
        {
            await socket.SendAsync("{\"type\":\"events\",\"eve"u8.ToArray(), WebSocketMessageType.Text, false, context.RequestAborted);
            context.Abort();
        }

        /// <summary>The next frame of the client; null once it left or the connection is no more.</summary>
        public async Task<JsonElement?> ReceiveAsync()
        {
            var buffer = new byte[16 * 1024];
            try
            {
                var part = await socket.ReceiveAsync(buffer.AsMemory(), context.RequestAborted);
                return part.MessageType == WebSocketMessageType.Close ? null : JsonDocument.Parse(buffer.AsMemory(0, part.Count)).RootElement;
            }
            catch (Exception e) when (e is WebSocketException or OperationCanceledException)
            {
                return null;
            }
        }
    }
}
