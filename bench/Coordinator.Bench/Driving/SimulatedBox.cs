using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;

namespace Coordinator.Bench.Driving;

/// <summary>A prompt as it reached the box, and when.</summary>
internal sealed record ArrivedPrompt(string MessageId, long At);

/// <summary>A box without an agent: it dials back, says it is ready, and sends what the scenario wants within the bridge's window.</summary>
internal sealed class SimulatedBox : IAsyncDisposable
{
    private const int WindowEvents = 2_000;

    private static readonly byte[] Heartbeat = Utf8("""{"type":"heartbeat","busy":false,"rss":1,"disk":1}""");

    private readonly FrameSocket socket;
    private readonly CancellationTokenSource ended = new();
    private readonly Channel<ArrivedPrompt> prompts = Channel.CreateUnbounded<ArrivedPrompt>();
    private readonly SemaphoreSlim writing = new(1);
    private readonly Task receiving;
    private TaskCompletionSource moved = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long sent;
    private long acknowledged;

    private SimulatedBox(FrameSocket socket)
    {
        this.socket = socket;
        receiving = ReceiveAsync(ended.Token);
    }

    public static async Task<SimulatedBox> ConnectAsync(Uri host, BoxGrant grant, CancellationToken cancellationToken)
    {
        var socket = await FrameSocket.ConnectAsync(host, "/v1/bridge", "coordinator.bridge.v1", grant.Token, cancellationToken);
        await socket.SendAsync(Utf8($$"""{"type":"hello","protocol":[1,1],"sandbox":"{{grant.Sandbox}}","generation":{{grant.Generation}},"spoolId":"00112233445566ff","messages":[],"openPermissions":[]}"""), cancellationToken);
        var box = new SimulatedBox(socket);
        await box.SendAsync("boot.ready", null, """{"agent":{"name":"bench","version":"1"},"resumed":false,"elapsedMs":1}""", cancellationToken);
        return box;
    }

    public ValueTask<ArrivedPrompt> NextPromptAsync(CancellationToken cancellationToken) => prompts.Reader.ReadAsync(cancellationToken);

    /// <summary>Sends one numbered event, waiting while the window is full; gives the moment it was handed to the socket.</summary>
    public async ValueTask<long> SendAsync(string kind, string? messageId, string data, CancellationToken cancellationToken)
    {
        while (Volatile.Read(ref sent) - Volatile.Read(ref acknowledged) >= WindowEvents) await MovedAsync().WaitAsync(cancellationToken);
        await writing.WaitAsync(cancellationToken);
        try
        {
            var n = Interlocked.Increment(ref sent);
            var message = messageId is null ? string.Empty : $",\"messageId\":\"{messageId}\"";
            var frame = Utf8(string.Create(CultureInfo.InvariantCulture, $"{{\"type\":\"event\",\"n\":{n},\"kind\":\"{kind}\"{message},\"data\":{data}}}"));
            var at = Stopwatch.GetTimestamp();
            await socket.SendAsync(frame, cancellationToken);
            return at;
        }
        finally
        {
            writing.Release();
        }
    }

    public async ValueTask HeartbeatAsync(CancellationToken cancellationToken)
    {
        await writing.WaitAsync(cancellationToken);
        try
        {
            await socket.SendAsync(Heartbeat, cancellationToken);
        }
        finally
        {
            writing.Release();
        }
    }

    public async Task AllAcknowledgedAsync(CancellationToken cancellationToken)
    {
        while (Volatile.Read(ref acknowledged) < Volatile.Read(ref sent)) await MovedAsync().WaitAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync();
        await receiving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        socket.Dispose();
        writing.Dispose();
        ended.Dispose();
    }

    private Task MovedAsync()
    {
        var waiting = Volatile.Read(ref moved).Task;
        return Volatile.Read(ref sent) - Volatile.Read(ref acknowledged) is 0 ? Task.CompletedTask : waiting;
    }

    private async Task ReceiveAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var frame = await socket.ReceiveAsync(cancellationToken);
            var at = Stopwatch.GetTimestamp();
            using var json = JsonDocument.Parse(frame);
            switch (json.RootElement.GetProperty("type").GetString())
            {
                case "ack":
                    Volatile.Write(ref acknowledged, json.RootElement.GetProperty("n").GetInt64());
                    Interlocked.Exchange(ref moved, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
                    break;
                case "request" when json.RootElement.GetProperty("method").GetString() == "prompt":
                    prompts.Writer.TryWrite(new(json.RootElement.GetProperty("params").GetProperty("messageId").GetString()!, at));
                    break;
            }
        }
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
