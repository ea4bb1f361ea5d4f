using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Coordinator.Tests.Support.Following;

/// <summary>
/// A client of one session over its WebSocket, from the first event on. When its socket ends it takes the next host with
/// its last cursor, as a page behind a load balancer does, and notes whatever is missing, doubled or out of order. One that
/// may be told to load anew then forgets what it was shown, and begins with the first event again.
/// </summary>
public sealed class WatchingClient : IAsyncDisposable
{
    private const int CursorGone = 4410;

    private readonly string session;
    private readonly string apiKey;
    private readonly bool loadsAnew;
    private readonly Dialer dialer;
    private readonly CancellationTokenSource ended = new();
    private readonly Task following;
    private volatile ShownLog shown = new();
    private volatile object? incarnation = 1; // an int, or null while it loads anew

    /// <param name="hosts">Where it connects, the first one first.</param>
    /// <param name="loadsAnew">It does as it is told when its cursor is of what is gone; otherwise that must not be.</param>
    public WatchingClient(string session, string apiKey, IReadOnlyList<Uri> hosts, bool loadsAnew = false)
    {
        (this.session, this.apiKey, this.loadsAnew, dialer) = (session, apiKey, loadsAnew, new(hosts, "the client's"));
        following = Task.Run(FollowAsync);
    }

    /// <summary>Where it is connected now.</summary>
    public Uri? Connected => dialer.Connected;

    /// <summary>How each of its connections ended: the host, and the close code where there was one.</summary>
    public ConcurrentQueue<(Uri Host, int? Code)> Closes => dialer.Closes;

    /// <summary>What must not be, in words.</summary>
    public string? Problem => dialer.Problem;

    /// <summary>Everything it was shown, of the incarnation it is in.</summary>
    public ShownLog Shown => shown;

    /// <summary>The session's incarnation, as it was told last; null while it loads anew.</summary>
    public int? Incarnation => (int?)incarnation;

    /// <summary>What it was shown before each time that it was told to load anew, and the cursor that was refused.</summary>
    public ConcurrentQueue<(string Cursor, IReadOnlyList<ShownEvent> Log)> Forgotten { get; } = new();

    public IReadOnlyList<ShownEvent> Log => Shown.Snapshot();

    /// <summary>Waits for an event.</summary>
    public Task UntilAsync(string expected, Func<ShownEvent, bool> fits) => Eventually.HoldsAsync(() => Problem is not null || Log.Any(fits), expected, Tail);

    /// <summary>Waits until the turn of a message has come as far as this number.</summary>
    public Task UntilSaidAsync(string message, int number) => UntilAsync(
        $"'{number}' of {message}",
        e => e.Type == "agent.text" && e.MessageId == message && e.Data.Contains($"\"{number.ToString(CultureInfo.InvariantCulture)} \"", StringComparison.Ordinal));

    /// <summary>Waits for the end of a message's turn.</summary>
    public Task UntilEndedAsync(string message) => UntilAsync($"the end of {message}", e => IsEnd(e, message));

    /// <summary>True once it was shown the end of a message's turn, or something that must not be.</summary>
    public bool HasEnded(string message) => Problem is not null || Log.Any(e => IsEnd(e, message));

    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync();
        await following;
        ended.Dispose();
    }

    private static bool IsEnd(ShownEvent e, string message) => e.IsEnd && e.MessageId == message;

    private Task FollowAsync() => dialer.RunAsync(
        host => TextSocket.ConnectAsync(host, $"/v1/sessions/{session}/ws", "coordinator.v1", apiKey, ended.Token),
        TakeAllAsync,
        loadsAnew ? [4400, 4401, 4404] : [4400, 4401, 4404, CursorGone],
        ended.Token);

    private async Task TakeAllAsync(Uri host, TextSocket socket)
    {
        var asked = incarnation;
        await socket.SendAsync(asked is null ? """{"type":"subscribe"}""" : $$"""{"type":"subscribe","after":"{{Cursor}}"}""", ended.Token);
        while (await socket.ReceiveAsync(ended.Token) is { } frame)
        {
            Take(host, frame);
            if (asked is null && incarnation is not null) return; // it knows where to begin, and comes back for all of it
        }

        if (loadsAnew && asked is not null && socket.CloseCode == CursorGone) Forget();
    }

    /// <summary>Of the incarnation that it was told: the cursor within an event is of when that was written.</summary>
    private string Cursor => string.Create(CultureInfo.InvariantCulture, $"{incarnation}.{Shown.Count}");

    private void Forget()
    {
        Forgotten.Enqueue((Cursor, Log));
        (shown, incarnation) = (new(), null);
    }

    private void Take(Uri host, byte[] frame)
    {
        using var json = JsonDocument.Parse(frame);
        var type = json.RootElement.GetProperty("type").GetString();
        if (type == "ready") (dialer.Connected, incarnation) = (host, int.Parse(json.RootElement.GetProperty("cursor").GetString()!.Split('.')[0], CultureInfo.InvariantCulture));
        if (type != "events" || incarnation is null) return;
        foreach (var e in json.RootElement.GetProperty("events").EnumerateArray())
        {
            var one = new ShownEvent(
                e.GetProperty("seq").GetInt64(),
                e.GetProperty("at").GetDateTimeOffset(),
                e.GetProperty("type").GetString()!,
                e.TryGetProperty("messageId", out var message) ? message.GetString() : null,
                e.GetProperty("data").GetRawText());
            if (one.Seq != Shown.Count + 1) dialer.Problem ??= $"After event {Shown.Count} came {one.Seq}, from {host}.";
            Shown.Add(one);
        }
    }

    private string Tail()
    {
        var text = new StringBuilder(string.Create(CultureInfo.InvariantCulture, $"{Log.Count} events came"));
        foreach (var e in Log.TakeLast(5)) text.Append(CultureInfo.InvariantCulture, $"; {e.Seq} {e.Type} {e.MessageId} {(e.Data.Length > 100 ? e.Data[..100] : e.Data)}");
        return text.Append(CultureInfo.InvariantCulture, $". Connected to {Connected}; closes: {string.Join(", ", Closes)}.").ToString();
    }
}
