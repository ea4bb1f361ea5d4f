using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Coordinator.Client;

/// <summary>Follows one session's events over SSE, across dropped connections and restarts of the host, without a gap or a duplicate.</summary>
public sealed class SessionFollower(CoordinatorClient client, string session, TimeProvider? time = null)
{
    private readonly TimeProvider time = time ?? TimeProvider.System;

    /// <summary>How often the connection was made anew.</summary>
    public int Reconnects { get; private set; }

    /// <summary>Three of the host's pings missed: the connection is dead, though nothing has closed it.</summary>
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(45);

    private static readonly TimeSpan LongestAsked = TimeSpan.FromMinutes(1);

    /// <summary>What a host that restarts asked for; heeded once.</summary>
    private TimeSpan? returnAfter;

    /// <summary>The last event given out; what a later follower resumes after.</summary>
    public string? Cursor { get; private set; }

    /// <summary>Raised when the connection is lost, with the reason, before it is made anew.</summary>
    public event Action<Exception>? Disconnected;

    /// <summary>
    /// Events after <paramref name="after"/> (null: from the first), for ever. Reconnects with full jitter. Throws
    /// <see cref="CoordinatorException"/> when the session is absent, the key is refused or the cursor is not valid any more.
    /// </summary>
    public async IAsyncEnumerable<SessionEvent> FollowAsync(string? after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Cursor = after;
        for (var failures = 0; ; failures++)
        {
            var connection = ReadConnectionAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
            await using (connection)
            {
                while (await NextAsync(connection, cancellationToken))
                {
                    failures = 0;
                    Cursor = connection.Current.At;
                    yield return connection.Current.Event;
                }
            }

            Reconnects++;
            var ceiling = Math.Min(10_000, 100 << Math.Min(failures, 7));
            await Task.Delay(returnAfter ?? TimeSpan.FromMilliseconds(Jitter(ceiling)), time, cancellationToken);
            returnAfter = null;
        }
    }

    /// <summary>False when the connection is over and another one should be made.</summary>
    private async ValueTask<bool> NextAsync(IAsyncEnumerator<(string At, SessionEvent Event)> connection, CancellationToken cancellationToken)
    {
        try
        {
            return await connection.MoveNextAsync();
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && e is IOException or HttpRequestException or OperationCanceledException or CoordinatorException { IsTransient: true })
        {
            Disconnected?.Invoke(e);
            return false;
        }
    }

    /// <summary>Each event with where the stream is then: the cursor within an event is of when it was written, maybe before the server was restored.</summary>
    private async IAsyncEnumerable<(string At, SessionEvent Event)> ReadConnectionAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var after = Cursor is null ? string.Empty : $"?after={Uri.EscapeDataString(Cursor)}";
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/sessions/{session}/events{after}");
        request.Headers.Accept.Add(new("text/event-stream"));
        using var answer = await client.OpenAsync(request, cancellationToken);
        await using var body = new WatchedStream(await answer.Content.ReadAsStreamAsync(cancellationToken), LongestSilence, time);
        var events = SseParser.Create(body, static (_, data) => JsonSerializer.Deserialize(data, ClientJson.Default.SessionEvent)!);
        await foreach (var item in events.EnumerateAsync(cancellationToken)) yield return (item.EventId ?? item.Data.Cursor, item.Data);
        if (events.ReconnectionInterval is { Ticks: >= 0 } asked) returnAfter = asked < LongestAsked ? asked : LongestAsked;
    }

    private static int Jitter(int ceiling) => System.Security.Cryptography.RandomNumberGenerator.GetInt32(20, Math.Max(21, ceiling));
}
