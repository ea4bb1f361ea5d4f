using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Threading.Channels;

namespace Coordinator.Client;

/// <summary>
/// One WebSocket to a session, from its subscription to its end. Frames are read as they come, so that answers are heard
/// while events wait to be taken; how many wait is bounded, and then the host is not read any more until some were taken.
/// </summary>
internal sealed class SocketConnection : IAsyncDisposable
{
    private const int MostFrames = 64;

    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(10);

    private readonly TextFrames frames;
    private readonly TimeProvider time;
    private readonly Action<TimeSpan> returnAfter;
    private readonly PendingAsks asks = new();
    private readonly Channel<PlacedEvent[]> events = Channel.CreateBounded<PlacedEvent[]>(new BoundedChannelOptions(MostFrames) { SingleReader = true, SingleWriter = true });
    private readonly CancellationTokenSource left = new();
    private readonly CancellationToken ended;
    private readonly SemaphoreSlim order = new(1);
    private readonly Task reading;
    private string cursor;

    private SocketConnection(TextFrames frames, string after, TimeProvider time, Action<TimeSpan> returnAfter)
    {
        (this.frames, cursor, this.time, this.returnAfter) = (frames, after, time, returnAfter);
        ended = left.Token;
        reading = ReadAllAsync();
    }

    /// <summary>Subscribes after a cursor on a socket that stands, which is this one's from now on. <paramref name="returnAfter"/> hears when a host that restarts wants it back.</summary>
    public static async Task<SocketConnection> SubscribeAsync(ClientWebSocket socket, string after, TimeProvider time, Action<TimeSpan> returnAfter, CancellationToken cancellationToken)
    {
        var frames = new TextFrames(socket, time);
        try
        {
            await frames.SendAsync(Bytes(new("subscribe") { After = after }), cancellationToken);
            return new(frames, after, time, returnAfter);
        }
        catch
        {
            frames.Dispose();
            throw;
        }
    }

    /// <summary>The events in order, until the connection is over: then it throws why.</summary>
    public async IAsyncEnumerable<PlacedEvent> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var together in events.Reader.ReadAllAsync(cancellationToken))
            foreach (var e in together) yield return e;
    }

    /// <summary>The host's answer; null when it refused or will not be heard over this socket, and what was asked may have been done.</summary>
    public async Task<SocketFrame?> AskAsync(SocketAsk ask, CancellationToken cancellationToken)
    {
        var bytes = Bytes(ask);
        if (bytes.Length > TextFrames.MaxSentBytes) return null;
        try
        {
            if (await SendInOrderAsync(bytes, cancellationToken) is not { } answer) return null;
            return await answer.WaitAsync(AnswerWithin, time, cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && e is TimeoutException or IOException or OperationCanceledException)
        {
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await frames.CloseAsync();
        await left.CancelAsync();
        await reading;
        frames.Dispose();
        left.Dispose();
    }

    private async Task<Task<SocketFrame?>?> SendInOrderAsync(byte[] bytes, CancellationToken cancellationToken)
    {
        await order.WaitAsync(cancellationToken);
        try
        {
            if (asks.Add() is not { } answer) return null;
            await frames.SendAsync(bytes, ended);
            return answer;
        }
        finally
        {
            order.Release();
        }
    }

    /// <summary>Reads until the end and says it in the channel, whatever it is.</summary>
    private async Task ReadAllAsync()
    {
        try
        {
            while (true) await TakeAsync(await frames.ReceiveAsync(ended));
        }
        catch (Exception e)
        {
            events.Writer.Complete(e);
        }
        finally
        {
            asks.End();
        }
    }

    private async ValueTask TakeAsync(ReadOnlyMemory<byte> bytes)
    {
        var frame = Parse(bytes);
        switch (frame.Type)
        {
            case "ready":
                cursor = frame.Cursor ?? cursor;
                break;
            case "events":
                await GiveAsync([.. (frame.Events ?? []).Select(e => PlacedEvent.InStreamOf(cursor, e))]);
                break;
            case "accepted" or "done":
                asks.Answer(frame);
                break;
            case "refused":
                asks.Answer(null);
                break;
            case "restarting":
                returnAfter(TimeSpan.FromMilliseconds(Math.Max(0, frame.ReturnAfterMs)));
                break;
        }
    }

    private async ValueTask GiveAsync(PlacedEvent[] together)
    {
        if (events.Writer.TryWrite(together)) return;
        asks.HoldUp();
        await events.Writer.WriteAsync(together, ended);
        asks.GoOn();
    }

    private static SocketFrame Parse(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            return JsonSerializer.Deserialize(bytes.Span, SocketJson.Default.SocketFrame) ?? throw new IOException("The host sent a frame that is none.");
        }
        catch (JsonException e)
        {
            throw new IOException("The host sent a frame that cannot be read.", e);
        }
    }

    private static byte[] Bytes(SocketAsk ask) => JsonSerializer.SerializeToUtf8Bytes(ask, SocketJson.Default.SocketAsk);
}
