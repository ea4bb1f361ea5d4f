using System.Net.WebSockets;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Coordinator.Bench.Serving;

/// <summary>
/// The least a relay can do: frames of <c>/in</c> go to <c>/out</c> as they are, and nothing is kept. What the product takes
/// above this is what its promises cost.
/// </summary>
internal static class BareRelay
{
    public static async Task<int> RunAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var app = builder.Build();
        app.UseWebSockets();
        var frames = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(4_096) { SingleReader = true });
        app.Map("/in", async context => await TakeAsync(context, frames.Writer));
        app.Map("/out", async context => await GiveAsync(context, frames.Reader));
        await app.StartAsync();
        await Console.Out.WriteLineAsync($"Sign in: {app.Urls.First()}/#sl_none");
        while (await Console.In.ReadLineAsync() is not null)
        {
        }

        return 0;
    }

    private static async Task TakeAsync(HttpContext context, ChannelWriter<byte[]> frames)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[64 * 1024];
        while (await socket.ReceiveAsync(buffer.AsMemory(), context.RequestAborted) is { MessageType: not WebSocketMessageType.Close } part)
            await frames.WriteAsync(buffer[..part.Count], context.RequestAborted);
    }

    private static async Task GiveAsync(HttpContext context, ChannelReader<byte[]> frames)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        await foreach (var frame in frames.ReadAllAsync(context.RequestAborted))
            await socket.SendAsync(frame, WebSocketMessageType.Text, endOfMessage: true, context.RequestAborted);
    }
}
