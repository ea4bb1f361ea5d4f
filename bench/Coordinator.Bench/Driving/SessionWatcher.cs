using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace Coordinator.Bench.Driving;

/// <summary>A client of one session over the real WebSocket. It looks for marks in frames and notes when each of them came.</summary>
internal sealed class SessionWatcher(FrameSocket socket) : IDisposable
{
    private static ReadOnlySpan<byte> TextMark => "\"type\":\"agent.text\""u8;

    /// <summary>The cursor the session stood at when this client came, or where it asked to begin.</summary>
    public string Start { get; private set; } = string.Empty;

    /// <summary>When the k-th <c>agent.text</c> was here. Filled by <see cref="TakeTextsAsync"/>.</summary>
    public List<long> Texts { get; } = [];

    public static async Task<SessionWatcher> ConnectAsync(HostProcess host, string session, string? after, CancellationToken cancellationToken)
    {
        var socket = await FrameSocket.ConnectAsync(host.Url, $"/v1/sessions/{session}/ws", "coordinator.v1", host.ApiKey, cancellationToken);
        await socket.SendAsync(Encoding.UTF8.GetBytes(after is null ? """{"type":"subscribe"}""" : $$"""{"type":"subscribe","after":"{{after}}"}"""), cancellationToken);
        var watcher = new SessionWatcher(socket);
        using var ready = JsonDocument.Parse(await socket.ReceiveAsync(cancellationToken));
        watcher.Start = ready.RootElement.GetProperty("cursor").GetString()!;
        return watcher;
    }

    /// <summary>The moment the prompt's frame was given to the socket; what the driver takes to write it is not the server's.</summary>
    public async ValueTask<long> PromptAsync(string clientId, string text, CancellationToken cancellationToken)
    {
        var frame = Encoding.UTF8.GetBytes($$"""{"type":"prompt","clientId":"{{clientId}}","text":"{{text}}"}""");
        var sent = Stopwatch.GetTimestamp();
        await socket.SendAsync(frame, cancellationToken);
        return sent;
    }

    /// <summary>Receives until a frame of the type, holding the text when one is given; the moment it came. All that it receives is kept where one says so.</summary>
    public async Task<long> UntilAsync(string type, string? holding, CancellationToken cancellationToken, ICollection<byte[]>? kept = null)
    {
        var mark = Encoding.UTF8.GetBytes($"{{\"type\":\"{type}\"");
        var within = holding is null ? null : Encoding.UTF8.GetBytes(holding);
        while (true)
        {
            var frame = await socket.ReceiveAsync(cancellationToken);
            var at = Stopwatch.GetTimestamp();
            kept?.Add(frame.ToArray());
            if (frame.Span.StartsWith(mark) && (within is null || frame.Span.IndexOf(within) >= 0)) return at;
        }
    }

    /// <summary>Receives what answers a prompt: when it was accepted, and when the first of its events came, in whichever order.</summary>
    public async Task<(long Accepted, long FirstEvent)> AnswerAsync(CancellationToken cancellationToken)
    {
        var (accepted, shown) = (0L, 0L);
        while (accepted == 0 || shown == 0)
        {
            var frame = await socket.ReceiveAsync(cancellationToken);
            var at = Stopwatch.GetTimestamp();
            if (accepted == 0 && frame.Span.StartsWith("{\"type\":\"accepted\""u8)) accepted = at;
            if (shown == 0 && frame.Span.StartsWith("{\"type\":\"events\""u8) && frame.Span.IndexOf("\"message.queued\""u8) >= 0) shown = at; // not the end of the turn before
        }

        return (accepted, shown);
    }

    /// <summary>Receives until so many <c>agent.text</c> have come in all.</summary>
    public async Task TakeTextsAsync(int count, CancellationToken cancellationToken)
    {
        while (Texts.Count < count)
        {
            var frame = await socket.ReceiveAsync(cancellationToken);
            var at = Stopwatch.GetTimestamp();
            Count(frame.Span, at);
        }
    }

    /// <summary>Receives until an event of the sequence number has come.</summary>
    public Task UntilSeqAsync(long seq, CancellationToken cancellationToken, ICollection<byte[]>? kept = null) => UntilAsync("events", $"\"seq\":{seq},", cancellationToken, kept);

    /// <summary>Takes what comes, and answers the host's pings, until it is told to leave.</summary>
    public async Task StayAsync(CancellationToken leaving)
    {
        try
        {
            while (true) await socket.ReceiveAsync(leaving);
        }
        catch (OperationCanceledException) when (leaving.IsCancellationRequested)
        {
            return;
        }
    }

    public void Dispose() => socket.Dispose();

    private void Count(ReadOnlySpan<byte> frame, long at)
    {
        for (var next = frame.IndexOf(TextMark); next >= 0; next = frame.IndexOf(TextMark))
        {
            Texts.Add(at);
            frame = frame[(next + TextMark.Length)..];
        }
    }
}
