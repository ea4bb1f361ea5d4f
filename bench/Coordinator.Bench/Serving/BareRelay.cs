using System.Collections.Immutable;
using System.Net.WebSockets;
using System.Threading.Channels;
using Coordinator.Bench.Driving;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Coordinator.Bench.Serving;

/// <summary>
/// The least a relay can do: frames of <c>/in</c> go to everyone at <c>/out</c> as they are, the same bytes to each, and nothing is
/// kept. What the product takes above this is what its promises cost.
/// </summary>
internal static class BareRelay
{
    private const int Waiting = 4_096;

    private static ImmutableList<Channel<byte[]>> listeners = [];

    public static Task<int> RunAsync() => BareKestrel.RunAsync(
        static app =>
        {
            app.Map("/in", TakeAsync);
            app.Map("/out", GiveAsync);
        },
        static () => Task.CompletedTask);

    private static async Task TakeAsync(HttpContext context)
    {
        using var socket = new FrameSocket(await context.WebSockets.AcceptWebSocketAsync());
        while (true)
        {
            var frame = (await socket.ReceiveAsync(context.RequestAborted)).ToArray();
            foreach (var listener in listeners) await listener.Writer.WriteAsync(frame, context.RequestAborted);
        }
    }

    private static async Task GiveAsync(HttpContext context)
    {
        var frames = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(Waiting) { SingleReader = true });
        ImmutableInterlocked.Update(ref listeners, static (all, one) => all.Add(one), frames); // before its client is told that it is there
        try
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            await foreach (var frame in frames.Reader.ReadAllAsync(context.RequestAborted))
                await socket.SendAsync(frame, WebSocketMessageType.Text, endOfMessage: true, context.RequestAborted);
        }
        finally
        {
            ImmutableInterlocked.Update(ref listeners, static (all, one) => all.Remove(one), frames);
        }
    }
}
