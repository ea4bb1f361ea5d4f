using System.Net.WebSockets;
using System.Threading.Channels;
using Coordinator.Bench.Driving;
using Coordinator.Ports;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Npgsql;

namespace Coordinator.Bench.Serving;

/// <summary>
/// The least that a durable relay can do: events of <c>/in</c>, a frame each, go to the one at <c>/out</c> once they are durable in one table
/// with a key. What gathers while a commit is in flight goes together into the next, as one row and one frame; on <c>/in/each</c>, as a row and
/// a frame for each in one commit. It knows nobody, acknowledges nothing and has a PostgreSQL of its own as the host has.
/// </summary>
internal sealed class BareDurableRelay(NpgsqlDataSource source, TimeProvider time)
{
    /// <summary>As many as a box may have under way.</summary>
    private const int Waiting = 2_000;

    private readonly TaskCompletionSource<WebSocket> listener = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public static async Task<int> RunAsync(TimeProvider time)
    {
        await using var bare = await BareJournal.StartAsync(CancellationToken.None);
        var relay = new BareDurableRelay(bare.Source, time);
        return await BareKestrel.RunAsync(
            app =>
            {
                app.Map("/in", context => relay.TakeAsync(context, relay.KeepTogetherAsync));
                app.Map("/in/each", context => relay.TakeAsync(context, relay.KeepEachAsync));
                app.Map("/out", relay.GiveAsync);
            },
            () => BenchHost.SayDatabaseAsync(bare.Source));
    }

    private async Task TakeAsync(HttpContext context, Func<ChannelReader<byte[]>, CancellationToken, Task> keepAsync)
    {
        using var socket = new FrameSocket(await context.WebSockets.AcceptWebSocketAsync());
        var events = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(Waiting) { SingleReader = true, SingleWriter = true, AllowSynchronousContinuations = true }); // what is alone is written where it was received
        var keeping = keepAsync(events.Reader, context.RequestAborted);
        try
        {
            while (!keeping.IsCompleted) await events.Writer.WriteAsync((await socket.ReceiveAsync(context.RequestAborted)).ToArray(), context.RequestAborted);
            await keeping;
        }
        finally
        {
            (await listener.Task).Abort(); // who waits for what will not come is to hear of it
        }
    }

    private async Task GiveAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        listener.SetResult(socket);
        await socket.ReceiveAsync(Memory<byte>.Empty, context.RequestAborted); // until it leaves
    }

    private async Task KeepTogetherAsync(ChannelReader<byte[]> events, CancellationToken cancellationToken)
    {
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        var (version, payload) = (new NpgsqlParameter<long>(), new NpgsqlParameter<ReadOnlyMemory<byte>>());
        await using var insert = new NpgsqlCommand("INSERT INTO bench_row VALUES ($1, $2, $3)", connection) { Parameters = { new NpgsqlParameter<Guid> { TypedValue = SessionId.New(time).Value }, version, payload } };
        var frame = new EventFrame();
        while (await events.WaitToReadAsync(cancellationToken))
        {
            frame.Begin();
            for (var i = 0; i < Waiting && events.TryRead(out var one); i++) frame.Add(one);
            payload.TypedValue = frame.Events;
            await insert.ExecuteNonQueryAsync(cancellationToken);
            version.TypedValue++;
            await TellAsync(frame, cancellationToken);
        }
    }

    private async Task KeepEachAsync(ChannelReader<byte[]> events, CancellationToken cancellationToken)
    {
        await using var insert = new BareInsert(await source.OpenConnectionAsync(cancellationToken));
        var (id, version, group, frame) = (SessionId.New(time).Value, 0L, new List<byte[]>(), new EventFrame());
        while (await events.WaitToReadAsync(cancellationToken))
        {
            group.Clear();
            while (group.Count < Waiting && events.TryRead(out var one)) group.Add(one);
            await insert.WriteAsync([.. Enumerable.Repeat(id, group.Count)], [.. group.Select(_ => version++)], [.. group], cancellationToken);
            foreach (var one in group)
            {
                frame.Begin();
                frame.Add(one);
                await TellAsync(frame, cancellationToken);
            }
        }
    }

    private async ValueTask TellAsync(EventFrame frame, CancellationToken cancellationToken) =>
        await (await listener.Task).SendAsync(frame.Close(), WebSocketMessageType.Text, endOfMessage: true, cancellationToken);

    /// <summary>A frame of several events as the host makes it, in memory that is used again.</summary>
    private sealed class EventFrame
    {
        private byte[] bytes = new byte[64 * 1024];
        private int used;

        private static ReadOnlySpan<byte> Head => "{\"type\":\"events\",\"events\":["u8;

        private static ReadOnlySpan<byte> Tail => "]}"u8;

        public ReadOnlyMemory<byte> Events => bytes.AsMemory(Head.Length..used);

        public void Begin()
        {
            used = 0;
            Put(Head);
        }

        public void Add(ReadOnlySpan<byte> one)
        {
            if (used > Head.Length) Put(","u8);
            Put(one);
        }

        public ReadOnlyMemory<byte> Close()
        {
            Put(Tail);
            return bytes.AsMemory(..used);
        }

        private void Put(ReadOnlySpan<byte> more)
        {
            if (used + more.Length > bytes.Length) Array.Resize(ref bytes, Math.Max(bytes.Length * 2, used + more.Length));
            more.CopyTo(bytes.AsSpan(used));
            used += more.Length;
        }
    }
}
