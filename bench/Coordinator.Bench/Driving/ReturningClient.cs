using System.Diagnostics;
using System.Globalization;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Coordinator.Bench.Driving;

/// <summary>How a client came to its present socket: when it lost the one before, began its first try and the one that succeeded, and was told where it stands.</summary>
internal sealed record Return(bool AsPage, long Lost, long FirstTry, long Tried, long Back);

/// <summary>
/// A client of one session that comes back whenever its socket ends, as the client library does or as the web page does: when a host that
/// restarts said, and else after a random time below a bound that grows with each failure. Each event comes to it once and in order, or it fails.
/// </summary>
internal sealed class ReturningClient : IAsyncDisposable
{
    /// <summary>It asks into a silence whether the host is there, and holds no buffer for large frames.</summary>
    public static readonly (TimeSpan Quiet, TimeSpan AnswerWithin) KeepAlive = (TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(15));

    private static readonly TimeSpan ReadyWithin = TimeSpan.FromSeconds(10);

    private readonly HostProcess host;
    private readonly bool asPage;
    private readonly TimeProvider time;
    private readonly CancellationTokenSource leaving = new();
    private readonly Task running;
    private volatile Return? present;
    private string? cursor;
    private long seq;
    private int failures;
    private TimeSpan? asked;
    private (long Lost, long FirstTry) away;

    public ReturningClient(HostProcess host, string session, bool asPage, TimeProvider time)
    {
        (this.host, Session, this.asPage, this.time) = (host, session, asPage, time);
        running = RunAsync(leaving.Token);
    }

    public string Session { get; }

    /// <summary>Null while it is away. Throws when it cannot go on.</summary>
    public Return? Present => running.IsFaulted ? throw new InvalidOperationException($"A client of {Session} failed.", running.Exception) : present;

    /// <summary>What the host told it first over its present socket, as it came.</summary>
    public byte[] Ready { get; private set; } = [];

    /// <summary>How often it was told that the session has another title.</summary>
    public int Renames { get; private set; }

    /// <summary>The last of those titles.</summary>
    public string? Title { get; private set; }

    public async ValueTask DisposeAsync()
    {
        await leaving.CancelAsync();
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        leaving.Dispose();
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        for (; ; failures++)
        {
            var tried = Stopwatch.GetTimestamp();
            if (away.FirstTry == 0) away.FirstTry = tried;
            try
            {
                await FollowAsync(tried, cancellationToken);
            }
            catch (Exception lost) when (!cancellationToken.IsCancellationRequested && lost is WebSocketException or IOException or OperationCanceledException)
            {
                if (present is not null) away = (Stopwatch.GetTimestamp(), 0);
                present = null;
            }

            await Task.Delay(asked ?? TimeSpan.FromMilliseconds(RandomNumberGenerator.GetInt32(Ceiling)), time, cancellationToken);
            asked = null;
        }
    }

    /// <summary>In milliseconds; of the client library (ResumedEvents) or the page (backoff.ts).</summary>
    private int Ceiling => asPage ? Math.Min(30_000, 500 << Math.Min(failures, 10)) : Math.Min(10_000, 100 << Math.Min(failures, 7));

    private async Task FollowAsync(long tried, CancellationToken cancellationToken)
    {
        using var slow = new CancellationTokenSource(ReadyWithin, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(slow.Token, cancellationToken);
        using var socket = await FrameSocket.ConnectAsync(host.Url, $"/v1/sessions/{Session}/ws", "coordinator.v1", host.ApiKey, limit.Token, KeepAlive);
        await socket.SendAsync(Encoding.UTF8.GetBytes(cursor is null ? """{"type":"subscribe"}""" : $$"""{"type":"subscribe","after":"{{cursor}}"}"""), limit.Token);
        try
        {
            while (true) Take(await socket.ReceiveAsync(present is null ? limit.Token : cancellationToken), tried);
        }
        catch (WebSocketException) when (socket.CloseCode is >= 4_400 and < 4_500 and not 4_408)
        {
            throw new InvalidOperationException($"{Session} closed the socket with {socket.CloseCode}, after {cursor}.");
        }
    }

    private void Take(ReadOnlyMemory<byte> frame, long tried)
    {
        using var json = JsonDocument.Parse(frame);
        switch (json.RootElement.GetProperty("type").GetString())
        {
            case "ready":
                Begin(json.RootElement.GetProperty("cursor").GetString()!);
                Ready = frame.ToArray();
                present = new(asPage, away.Lost, away.FirstTry, tried, Stopwatch.GetTimestamp());
                if (asPage) failures = 0;
                break;
            case "events":
                foreach (var one in json.RootElement.GetProperty("events").EnumerateArray()) Take(one);
                failures = 0;
                break;
            case "restarting":
                asked = TimeSpan.FromMilliseconds(json.RootElement.GetProperty("returnAfterMs").GetInt64());
                break;
        }
    }

    private void Begin(string start)
    {
        if (cursor is not null && cursor != start) throw new InvalidOperationException($"{Session} begins after {start} and not after {cursor}.");
        cursor = start;
        seq = long.Parse(start.Split('.')[1], CultureInfo.InvariantCulture);
    }

    private void Take(JsonElement one)
    {
        var next = one.GetProperty("seq").GetInt64();
        if (next != seq + 1) throw new InvalidOperationException($"{Session} told event {next} behind event {seq}.");
        (seq, cursor) = (next, one.GetProperty("cursor").GetString());
        if (one.GetProperty("type").GetString() != "session.renamed") return;
        Renames++;
        Title = one.GetProperty("data").GetProperty("title").GetString();
    }
}
