using System.Diagnostics;
using System.Globalization;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Coordinator.Bench.Driving;

/// <summary>
/// A box without an agent that outlives its hosts: as the real one it keeps what is not acknowledged, asks a host that is silent whether it is
/// there, dials again with the same waits, and sends again what the next host does not have. A prompt <see cref="Long"/> is answered piece by
/// piece until it is told to end, any other at once.
/// </summary>
internal sealed class RoamingBox : IAsyncDisposable
{
    /// <summary>The text of a prompt whose turn goes on until <see cref="EndTurns"/>.</summary>
    public const string Long = "go on";

    private const int Window = 1_000;
    private const int HostRestarts = 1012;
    private const int PieceLength = 8;

    private static readonly (TimeSpan Quiet, TimeSpan AnswerWithin) KeepAlive = (TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(4));
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(0.2);
    private static readonly TimeSpan HeartbeatEvery = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan DialWithin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan PieceEvery = TimeSpan.FromMilliseconds(50);

    private readonly BoxGrant grant;
    private readonly Uri address;
    private readonly TimeProvider time;
    private readonly string spool = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
    private readonly CancellationTokenSource ended = new();
    private readonly CancellationTokenSource noTurns = new();
    private readonly Lock gate = new();
    private readonly SortedDictionary<long, string> kept = [];
    private readonly Dictionary<string, string> messages = new(StringComparer.Ordinal);
    private readonly List<Task> turns = [];
    private readonly Task dialing;
    private TaskCompletionSource moved = NewSignal();
    private long last;
    private long acknowledged;
    private int pieces;

    /// <param name="address">Where it dials, each time.</param>
    public RoamingBox(BoxGrant grant, Uri address, TimeProvider time)
    {
        (this.grant, this.address, this.time) = (grant, address, time);
        Emit("boot.ready", null, """{"agent":{"name":"bench","version":"1"},"resumed":false,"elapsedMs":1}""");
        dialing = Task.Run(DialAsync);
    }

    /// <summary>How many pieces it has said so far: the number of the next.</summary>
    public int Pieces => Volatile.Read(ref pieces);

    /// <summary>What must not be, in words.</summary>
    public string? Flaw { get; private set; }

    /// <summary>The number of a piece, from the text that a client is shown.</summary>
    public static int NumberOf(string piece) => int.Parse(piece, NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);

    /// <summary>Ends the turn that runs; those to come are short.</summary>
    public void EndTurns() => noTurns.Cancel();

    public async ValueTask DisposeAsync()
    {
        await noTurns.CancelAsync();
        await ended.CancelAsync();
        await dialing;
        await Task.WhenAll(turns);
        ended.Dispose();
        noTurns.Dispose();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task DialAsync()
    {
        for (var failures = 0; !ended.IsCancellationRequested && Flaw is null; failures++)
        {
            var restarts = false;
            try
            {
                using var slow = new CancellationTokenSource(DialWithin, time);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(slow.Token, ended.Token);
                using var socket = await FrameSocket.ConnectAsync(address, "/v1/bridge", "coordinator.bridge.v1", grant.Token, either.Token, KeepAlive);
                restarts = await ServeAsync(socket, () => failures = 0) == HostRestarts;
            }
            catch (Exception over) when (over is WebSocketException or HttpRequestException or OperationCanceledException or IOException)
            {
                // The next dial may do better.
            }

            var span = restarts ? FirstWait : FirstWait * Math.Pow(2, Math.Min(failures, 7));
            await Task.Delay(span * RandomNumberGenerator.GetInt32(1_000) / 1_000, time, ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Until the connection is over; what the host closed it with.</summary>
    private async Task<int?> ServeAsync(FrameSocket socket, Action welcomed)
    {
        await socket.SendAsync(Encoding.UTF8.GetBytes(Hello()), ended.Token);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(ended.Token);
        using var writing = new SemaphoreSlim(1);
        var sending = Task.CompletedTask;
        try
        {
            Welcome(await socket.ReceiveAsync(ended.Token));
            welcomed();
            sending = Task.WhenAll(SendKeptAsync(socket, writing, over.Token), BeatAsync(socket, writing, over.Token));
            while (true)
            {
                var frame = await socket.ReceiveAsync(ended.Token);
                if (Take(frame) is { } reply) await SendAsync(socket, writing, reply, over.Token);
            }
        }
        catch (Exception gone) when (gone is WebSocketException or InvalidOperationException or IOException || (gone is OperationCanceledException && !ended.IsCancellationRequested))
        {
            return socket.CloseCode;
        }
        finally
        {
            await over.CancelAsync();
            await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private string Hello()
    {
        lock (gate)
        {
            var states = string.Join(',', messages.Select(message => $$"""{"id":"{{message.Key}}","state":"{{message.Value}}"}"""));
            return string.Create(CultureInfo.InvariantCulture, $$"""{"type":"hello","protocol":[1,1],"sandbox":"{{grant.Sandbox}}","generation":{{grant.Generation}},"spoolId":"{{spool}}","messages":[{{states}}],"openPermissions":[]}""");
        }
    }

    private void Welcome(ReadOnlyMemory<byte> frame)
    {
        using var json = JsonDocument.Parse(frame);
        var has = json.RootElement.TryGetProperty("spoolId", out var known) && known.GetString() == spool ? json.RootElement.GetProperty("ackedN").GetInt64() : 0;
        if (has < Volatile.Read(ref acknowledged)) Flaw = $"A host has {has} of the {acknowledged} events of a box that were acknowledged.";
        Acknowledge(has);
    }

    /// <summary>What is to be answered, if anything.</summary>
    private string? Take(ReadOnlyMemory<byte> frame)
    {
        using var json = JsonDocument.Parse(frame);
        var root = json.RootElement;
        switch (root.GetProperty("type").GetString())
        {
            case "ack":
                Acknowledge(root.GetProperty("n").GetInt64());
                return null;
            case "request":
                var wanted = root.GetProperty("params");
                if (root.GetProperty("method").GetString() == "prompt") Prompt(wanted.GetProperty("messageId").GetString()!, wanted.GetProperty("text").GetString()!);
                return $$"""{"type":"reply","id":"{{root.GetProperty("id").GetString()}}","ok":true,"error":null}""";
            default:
                return null;
        }
    }

    private void Prompt(string message, string text)
    {
        lock (gate)
        {
            if (!messages.TryAdd(message, "accepted")) return;
            Emit("message.accepted", message, "{}");
            turns.Add(Task.Run(() => TurnAsync(message, text == Long)));
        }
    }

    private async Task TurnAsync(string message, bool isLong)
    {
        while (isLong && !noTurns.IsCancellationRequested)
        {
            lock (gate) Emit("agent.text", message, string.Create(CultureInfo.InvariantCulture, $$"""{"part":"p1","offset":{{pieces * PieceLength}},"text":"{{pieces++:D7}} "}"""));
            await Task.Delay(PieceEvery, time, noTurns.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        lock (gate)
        {
            messages[message] = "ended";
            Emit("message.ended", message, """{"outcome":"completed"}""");
        }
    }

    private void Emit(string kind, string? messageId, string data)
    {
        lock (gate)
        {
            kept[++last] = string.Create(CultureInfo.InvariantCulture, $"{{\"type\":\"event\",\"n\":{last},\"kind\":\"{kind}\",{(messageId is null ? string.Empty : $"\"messageId\":\"{messageId}\",")}\"data\":{data}}}");
            Signal();
        }
    }

    private void Acknowledge(long n)
    {
        lock (gate)
        {
            for (; acknowledged < n; acknowledged++) kept.Remove(acknowledged + 1);
            Signal();
        }
    }

    private void Signal()
    {
        moved.TrySetResult();
        moved = NewSignal();
    }

    /// <summary>What this connection has not been sent yet, within the window.</summary>
    private async Task SendKeptAsync(FrameSocket socket, SemaphoreSlim writing, CancellationToken cancellationToken)
    {
        for (var next = Volatile.Read(ref acknowledged) + 1; ; next++)
        {
            string? frame;
            while (!TryFind(next, out frame, out var more)) await more.WaitAsync(cancellationToken);
            if (frame is not null) await SendAsync(socket, writing, frame, cancellationToken);
        }
    }

    /// <summary>False when it is not to be sent yet. One that was acknowledged meanwhile is not sent at all.</summary>
    private bool TryFind(long n, out string? frame, out Task more)
    {
        lock (gate)
        {
            more = moved.Task;
            kept.TryGetValue(n, out frame);
            return n <= last && n - acknowledged <= Window;
        }
    }

    private async Task BeatAsync(FrameSocket socket, SemaphoreSlim writing, CancellationToken cancellationToken)
    {
        while (true)
        {
            await SendAsync(socket, writing, """{"type":"heartbeat","busy":false,"rss":1,"disk":1}""", cancellationToken);
            await Task.Delay(HeartbeatEvery, time, cancellationToken);
        }
    }

    private static async Task SendAsync(FrameSocket socket, SemaphoreSlim writing, string frame, CancellationToken cancellationToken)
    {
        await writing.WaitAsync(cancellationToken);
        try
        {
            await socket.SendAsync(Encoding.UTF8.GetBytes(frame), cancellationToken);
        }
        finally
        {
            writing.Release();
        }
    }
}
