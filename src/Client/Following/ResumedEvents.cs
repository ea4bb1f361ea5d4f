using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace Coordinator.Client;

/// <summary>Makes one sequence of a session's events out of connections that end, whatever they are: each goes on where the one before was.</summary>
internal sealed class ResumedEvents(TimeProvider time)
{
    /// <summary>
    /// A connection on which nothing came for so long is dead, though nothing has closed it: a host that hangs tells nobody. Its followers are to come to
    /// the next one about when its peers take it for dead, which is after 7.5 s by default. A host says something every 5 s, or answers when it is asked.
    /// </summary>
    public static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(8);

    private static readonly TimeSpan LongestAsked = TimeSpan.FromMinutes(1);

    /// <summary>What a host that restarts asked for; heeded once.</summary>
    private TimeSpan? returnAfter;

    public int Reconnects { get; private set; }

    public string? Cursor { get; private set; }

    /// <summary>The host says when to come back, once this connection is over.</summary>
    public void ReturnAfter(TimeSpan asked) => returnAfter = asked < LongestAsked ? asked : LongestAsked;

    /// <summary>
    /// Events after a cursor, for ever. <paramref name="connect"/> reads one connection from a cursor to its end, or throws;
    /// what is no passing failure ends all. <paramref name="lost"/> hears of the others.
    /// </summary>
    public async IAsyncEnumerable<SessionEvent> FollowAsync(
        string? after,
        Func<string?, CancellationToken, IAsyncEnumerable<PlacedEvent>> connect,
        Action<Exception> lost,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Cursor = after;
        for (var failures = 0; ; failures++)
        {
            var connection = connect(Cursor, cancellationToken).GetAsyncEnumerator(cancellationToken);
            await using (connection)
            {
                while (await NextAsync(connection, lost, cancellationToken))
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
    private static async ValueTask<bool> NextAsync(IAsyncEnumerator<PlacedEvent> connection, Action<Exception> lost, CancellationToken cancellationToken)
    {
        try
        {
            return await connection.MoveNextAsync();
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && IsPassing(e))
        {
            lost(e);
            return false;
        }
    }

    private static bool IsPassing(Exception e) =>
        e is IOException or HttpRequestException or WebSocketException or OperationCanceledException or CoordinatorException { IsTransient: true };

    private static int Jitter(int ceiling) => RandomNumberGenerator.GetInt32(20, Math.Max(21, ceiling));
}
