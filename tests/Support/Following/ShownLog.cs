namespace Coordinator.Tests.Support.Following;

/// <summary>An event as it was shown to somebody.</summary>
public sealed record ShownEvent(long Seq, DateTimeOffset At, string Type, string? MessageId, string Data)
{
    /// <summary>The first of the events that it covers, where what was said piece by piece was merged; null: itself alone.</summary>
    public long? From { get; init; }

    /// <summary>True for the last event of a message.</summary>
    public bool IsEnd => Type is "message.completed" or "message.failed" or "message.cancelled";
}

/// <summary>Everything one follower was shown, in the order it came, and a way to wait for something in it.</summary>
public sealed class ShownLog
{
    private readonly Lock gate = new();
    private readonly List<ShownEvent> events = [];
    private TaskCompletionSource more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public int Count
    {
        get
        {
            lock (gate) return events.Count;
        }
    }

    public IReadOnlyList<ShownEvent> Snapshot()
    {
        lock (gate) return [.. events];
    }

    public void Add(ShownEvent shown)
    {
        lock (gate)
        {
            events.Add(shown);
            more.TrySetResult();
            more = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>The first event, from a place in the log on, that fits; null when none has come within the limit.</summary>
    public async Task<ShownEvent?> FirstAsync(Func<ShownEvent, bool> fits, TimeSpan limit, CancellationToken cancellationToken, int from = 0)
    {
        using var late = new CancellationTokenSource(limit, TimeProvider.System);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        for (var seen = from; ;)
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
                await next.WaitAsync(either.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return null;
            }
        }
    }
}
