using System.Buffers;
using System.Runtime.CompilerServices;

namespace Coordinator.Client;

/// <summary>
/// Follows one session over its WebSocket, as <see cref="SessionFollower"/> does over SSE: across dropped connections and restarts
/// of the host, without a gap or a duplicate. What may be asked twice without harm is asked over the same connection while there is one,
/// and else over HTTP; the rest (an answer to a question, the end of a session) is <see cref="CoordinatorClient"/>'s alone.
/// </summary>
public sealed class SessionSocket(CoordinatorClient client, string session, TimeProvider? time = null)
{
    private const string Subprotocol = "coordinator.v1";
    private const int MaxClientIdLength = 200;

    private static readonly SearchValues<char> IdCharacters = SearchValues.Create("0123456789abcdefghjkmnpqrstvwxyz");

    private readonly TimeProvider time = time ?? TimeProvider.System;
    private readonly ResumedEvents events = new(time ?? TimeProvider.System);
    private volatile SocketConnection? present;

    /// <summary>How often the connection was made anew.</summary>
    public int Reconnects => events.Reconnects;

    /// <summary>The last event given out; what a later follower resumes after.</summary>
    public string? Cursor => events.Cursor;

    /// <summary>Raised when the connection is lost, with the reason, before it is made anew.</summary>
    public event Action<Exception>? Disconnected;

    /// <summary>
    /// Events after <paramref name="after"/> (null: from the first), for ever; one follower at a time. Reconnects with full jitter, or when a
    /// host that restarts says. Throws <see cref="CoordinatorException"/> when the session is absent, the key is refused or the cursor
    /// is not valid any more.
    /// </summary>
    public IAsyncEnumerable<SessionEvent> FollowAsync(string? after, CancellationToken cancellationToken) =>
        events.FollowAsync(after, ReadConnectionAsync, lost => Disconnected?.Invoke(lost), cancellationToken);

    /// <summary>
    /// Queues a prompt, as <see cref="CoordinatorClient.PromptAsync"/> does. <paramref name="clientId"/> (1 to 200 visible ASCII characters) is the
    /// idempotency key, over either way.
    /// </summary>
    public async Task<AcceptedMessage> PromptAsync(string text, CancellationToken cancellationToken, string? model = null, string? retryOf = null, string? clientId = null)
    {
        var key = clientId ?? client.NewIdempotencyKey();
        var ask = new SocketAsk("prompt") { ClientId = key, Text = text, Model = model, RetryOf = retryOf };
        if (IsClientId(key) && (retryOf is null || IsMessageId(retryOf)) && await AskAsync(ask, cancellationToken) is { MessageId: { } message } accepted)
            return new(message, accepted.Position);
        return await client.PromptAsync(session, text, cancellationToken, model, retryOf, key);
    }

    /// <summary>
    /// Stops the message that is named, or the running one (then over HTTP, where a second try of the same request does not stop the
    /// message after it).
    /// </summary>
    public async Task CancelAsync(string? messageId, CancellationToken cancellationToken)
    {
        if (IsMessageId(messageId) && await AskAsync(new("cancel") { MessageId = messageId }, cancellationToken) is not null) return;
        await client.CancelAsync(session, messageId, cancellationToken);
    }

    /// <summary>Null when it was not done over the socket: over HTTP it is, or is refused with its whole reason.</summary>
    private async Task<SocketFrame?> AskAsync(SocketAsk ask, CancellationToken cancellationToken) =>
        present is { } connection ? await connection.AskAsync(ask, cancellationToken) : null;

    private async IAsyncEnumerable<PlacedEvent> ReadConnectionAsync(string? after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (after is null)
        {
            // A subscription without a cursor begins at the end: the first event says what the beginning is.
            var first = await client.ListEventsAsync(session, null, 1, cancellationToken);
            after = first.Cursor;
            foreach (var e in first.Items) yield return new(after, e);
        }

        var socket = await client.ConnectAsync($"/v1/sessions/{session}/ws", Subprotocol, time, cancellationToken);
        await using var connection = await SocketConnection.SubscribeAsync(socket, after, time, events.ReturnAfter, cancellationToken);
        present = connection;
        try
        {
            await foreach (var e in connection.ReadAsync(cancellationToken)) yield return e;
        }
        finally
        {
            present = null;
        }
    }

    /// <summary>What the host reads as one; it closes the socket on another, where over HTTP it refuses it.</summary>
    private static bool IsMessageId(string? text) =>
        text is { Length: 30 } && text.StartsWith("msg_", StringComparison.Ordinal) && text[4] <= '7' && !text.AsSpan(4).ContainsAnyExcept(IdCharacters);

    private static bool IsClientId(string text) => text.Length is > 0 and <= MaxClientIdLength && !text.AsSpan().ContainsAnyExceptInRange('!', '~');
}
