using System.Threading.Tasks.Sources;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Adapters.Postgres.Journal;

/// <summary>
/// An append on its way, and what its caller waits for. The caller may take it back until a writer has taken it up; from then on its outcome
/// is waited for. It holds its bytes of the budget until it is over, and whoever waits goes on only then.
/// </summary>
internal sealed class PendingAppend(JournalLease lease, JournalAppend append, ByteBudget budget) : IValueTaskSource<bool>, IThreadPoolWorkItem
{
    /// <summary>What an append costs beside its payload and view.</summary>
    private const int Overhead = 256;

    /// <summary>How many of a group's callers go on one after another: a turn of the pool for each costs more than most do with the answer.</summary>
    private const int Together = 8;

    private const int Waiting = 0;
    private const int TakenUp = 1;
    private const int Over = 2;

    private ManualResetValueTaskSourceCore<bool> outcome;
    private int state;
    private bool isWritten;
    private volatile Cancellation? wantedBack;
    private Exception? failure;
    private PendingAppend? next;

    public JournalLease Lease { get; } = lease;

    public JournalAppend Append { get; } = append;

    public int Bytes { get; } = append.Payload.Length + (append.View?.Length ?? 0) + (append.Environment?.Json.Length ?? 0) + Overhead;

    /// <summary>When a statement first waited in vain for a row of its session; null: none has. Of the writer that has it.</summary>
    public long? HeldSince { get; set; }

    /// <summary>True when written, false when fenced or stale. To be awaited once.</summary>
    public ValueTask<bool> Outcome => new(this, outcome.Version);

    /// <summary>Answers a whole group that one statement wrote.</summary>
    public static void Settle(IReadOnlyList<PendingAppend> group, bool[] written)
    {
        PendingAppend? first = null;
        var together = 0;
        for (var i = group.Count - 1; i >= 0; i--)
        {
            var pending = group[i];
            if (!pending.TryEnd()) continue;
            (pending.isWritten, pending.next, first) = (written[i], first, pending);
            if (++together < Together) continue;
            GoOn(first);
            (first, together) = (null, 0);
        }

        if (first is not null) GoOn(first);
    }

    /// <summary>False when its caller has taken it back: then it must not be written.</summary>
    public bool TryTakeUp() => Interlocked.CompareExchange(ref state, TakenUp, Waiting) == Waiting;

    /// <summary>Unwritten, it waits anew, and may be taken back. False when it has its answer, as when its caller wanted it back meanwhile.</summary>
    public bool TryPutBack()
    {
        if (Interlocked.CompareExchange(ref state, Waiting, TakenUp) != TakenUp) return false;
        if (wantedBack is { } cancellation) TryTakeBack(cancellation.Token);
        return Volatile.Read(ref state) == Waiting;
    }

    /// <summary>In vain while a writer has it; then it is over if that puts it back.</summary>
    public void TryTakeBack(CancellationToken cancellationToken)
    {
        wantedBack ??= new(cancellationToken);
        if (Interlocked.CompareExchange(ref state, Over, Waiting) != Waiting) return;
        budget.Release(Bytes);
        failure = new OperationCanceledException(cancellationToken);
        GoOn(this);
    }

    public void Settle(bool written)
    {
        if (!TryEnd()) return;
        isWritten = written;
        GoOn(this);
    }

    public void Fail(PortException reason)
    {
        if (!TryEnd()) return;
        failure = reason;
        GoOn(this);
    }

    /// <summary>The callers' turn: they run here, never on the writer's.</summary>
    void IThreadPoolWorkItem.Execute()
    {
        for (var (pending, following) = (this, next); pending is not null; (pending, following) = (following, following?.next))
        {
            pending.next = null;
            if (pending.failure is { } why) pending.outcome.SetException(why);
            else pending.outcome.SetResult(pending.isWritten);
        }
    }

    bool IValueTaskSource<bool>.GetResult(short token) => outcome.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => outcome.GetStatus(token);

    void IValueTaskSource<bool>.OnCompleted(Action<object?> continuation, object? argument, short token, ValueTaskSourceOnCompletedFlags flags) =>
        outcome.OnCompleted(continuation, argument, token, flags);

    /// <summary>The first answer counts: a failure of what comes after a group was written is none of those who were answered.</summary>
    private bool TryEnd()
    {
        if (Interlocked.Exchange(ref state, Over) == Over) return false;
        budget.Release(Bytes);
        return true;
    }

    private static void GoOn(PendingAppend first) => ThreadPool.UnsafeQueueUserWorkItem(first, preferLocal: true);

    /// <summary>Whose caller waits no more.</summary>
    private sealed record Cancellation(CancellationToken Token);
}
