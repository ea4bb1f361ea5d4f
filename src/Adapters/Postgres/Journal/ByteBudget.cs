namespace Coordinator.Adapters.Postgres.Journal;

/// <summary>
/// Bounds the bytes that wait to be written. First come, first served: a large append is not overtaken for ever by small
/// ones. An amount above the whole budget is let through alone.
/// </summary>
internal sealed class ByteBudget
{
    private readonly long capacity;
    private readonly Lock gate = new();
    private readonly LinkedList<Waiter> waiters = new();
    private long free;

    public ByteBudget(long capacity) => free = this.capacity = capacity;

    /// <summary>Takes <paramref name="amount"/>, waiting until it is free. Give back what was asked for.</summary>
    public async ValueTask AcquireAsync(long amount, CancellationToken cancellationToken)
    {
        Waiter waiter;
        lock (gate)
        {
            if (waiters.Count == 0 && TryTake(amount)) return;
            waiter = new(amount);
            waiters.AddLast(waiter);
        }

        await using var registration = cancellationToken.UnsafeRegister(_ => Abandon(waiter, cancellationToken), null);
        await waiter.Admitted.Task;
    }

    /// <summary>Takes <paramref name="amount"/> if it is free and nobody waits for some; otherwise takes nothing.</summary>
    public bool TryAcquire(long amount)
    {
        lock (gate) return waiters.Count == 0 && TryTake(amount);
    }

    /// <summary>Gives back what <see cref="AcquireAsync"/> or <see cref="TryAcquire"/> took.</summary>
    public void Release(long amount)
    {
        lock (gate)
        {
            free += Math.Min(amount, capacity);
            Admit();
        }
    }

    private void Admit()
    {
        while (waiters.First is { Value: var next } && TryTake(next.Amount))
        {
            waiters.RemoveFirst();
            next.Admitted.SetResult();
        }
    }

    private void Abandon(Waiter waiter, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            if (!waiters.Remove(waiter)) return; // admitted in this very moment
            waiter.Admitted.SetCanceled(cancellationToken);
            Admit(); // those behind it may fit
        }
    }

    private bool TryTake(long amount)
    {
        var taken = Math.Min(amount, capacity);
        if (taken > free) return false;
        free -= taken;
        return true;
    }

    private sealed class Waiter(long amount)
    {
        public long Amount { get; } = amount;

        public TaskCompletionSource Admitted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
