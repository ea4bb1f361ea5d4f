using Coordinator.Client;

namespace Coordinator.Cli.Journey;

/// <summary>Everything one follower was shown, and a way to wait for something in it.</summary>
internal sealed class EventLog : IAsyncDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly Lock gate = new();
    private readonly List<SessionEvent> events = [];
    private readonly SessionFollower follower;
    private readonly Task following;
    private TaskCompletionSource more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public EventLog(CoordinatorClient client, string session, string? after = null)
    {
        follower = new(client, session);
        following = FollowAsync(after);
    }

    public int Reconnects => follower.Reconnects;

    public string? Cursor => follower.Cursor;

    public IReadOnlyList<SessionEvent> Snapshot()
    {
        lock (gate) return [.. events];
    }

    /// <summary>Waits until some event fits; says what was awaited and what came last when none does in time.</summary>
    public async Task<SessionEvent> WaitAsync(string expected, Func<SessionEvent, bool> fits, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        bound.CancelAfter(limit);
        var seen = 0;
        while (true)
        {
            Task next;
            lock (gate)
            {
                for (; seen < events.Count; seen++)
                    if (fits(events[seen])) return events[seen];
                next = more.Task;
            }

            try
            {
                await next.WaitAsync(bound.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new JourneyException($"{expected} within {limit.TotalSeconds:0.#} s", following.IsFaulted ? following.Exception!.InnerException!.Message : Tail());
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await following.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        stop.Dispose();
    }

    private async Task FollowAsync(string? after)
    {
        await foreach (var e in follower.FollowAsync(after, stop.Token))
        {
            lock (gate)
            {
                events.Add(e);
                more.TrySetResult();
                more = new(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }

    private string Tail()
    {
        lock (gate)
        {
            var last = events.Count == 0 ? "nothing" : string.Join(", ", events.TakeLast(4).Select(e => $"{e.Type} {Short(e)}"));
            return $"{events.Count} events, the last: {last}";
        }
    }

    private static string Short(SessionEvent e) => e.Data.GetRawText() is { Length: > 160 } text ? text[..160] + "…" : e.Data.GetRawText();
}
