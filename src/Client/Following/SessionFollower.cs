using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Coordinator.Client;

/// <summary>
/// Follows one session's events over SSE, across dropped connections and restarts of the host, without a gap or a duplicate.
/// <see cref="SessionSocket"/> does the same over a WebSocket.
/// </summary>
public sealed class SessionFollower(CoordinatorClient client, string session, TimeProvider? time = null)
{
    private readonly TimeProvider time = time ?? TimeProvider.System;
    private readonly ResumedEvents events = new(time ?? TimeProvider.System);

    /// <summary>How often the connection was made anew.</summary>
    public int Reconnects => events.Reconnects;

    /// <summary>The last event given out; what a later follower resumes after.</summary>
    public string? Cursor => events.Cursor;

    /// <summary>Raised when the connection is lost, with the reason, before it is made anew.</summary>
    public event Action<Exception>? Disconnected;

    /// <summary>
    /// Events after <paramref name="after"/> (null: from the first), for ever. Reconnects with full jitter, or when a host that
    /// restarts says. Throws <see cref="CoordinatorException"/> when the session is absent, the key is refused or the cursor is
    /// not valid any more.
    /// </summary>
    public IAsyncEnumerable<SessionEvent> FollowAsync(string? after, CancellationToken cancellationToken) =>
        events.FollowAsync(after, ReadConnectionAsync, lost => Disconnected?.Invoke(lost), cancellationToken);

    private async IAsyncEnumerable<PlacedEvent> ReadConnectionAsync(string? cursor, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var after = cursor is null ? string.Empty : $"?after={Uri.EscapeDataString(cursor)}";
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/sessions/{session}/events{after}");
        request.Headers.Accept.Add(new("text/event-stream"));
        using var answer = await client.OpenAsync(request, cancellationToken);
        await using var body = new WatchedStream(await answer.Content.ReadAsStreamAsync(cancellationToken), ResumedEvents.LongestSilence, time);
        var read = SseParser.Create(body, static (_, data) => JsonSerializer.Deserialize(data, ClientJson.Default.SessionEvent)!);
        await foreach (var item in read.EnumerateAsync(cancellationToken)) yield return new(item.EventId ?? item.Data.Cursor, item.Data);
        if (read.ReconnectionInterval is { Ticks: >= 0 } asked) events.ReturnAfter(asked);
    }
}
