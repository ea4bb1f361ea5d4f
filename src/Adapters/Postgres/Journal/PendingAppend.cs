using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Adapters.Postgres.Journal;

/// <summary>An append on its way. Its caller may take it back until a writer has taken it up; from then on its outcome is waited for.</summary>
internal sealed class PendingAppend(JournalLease lease, JournalAppend append)
{
    /// <summary>What an append costs beside its payload and view.</summary>
    private const int Overhead = 256;

    private readonly TaskCompletionSource<bool> outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int taken;

    public JournalLease Lease { get; } = lease;

    public JournalAppend Append { get; } = append;

    public int Bytes { get; } = append.Payload.Length + (append.View?.Length ?? 0) + (append.Environment?.Json.Length ?? 0) + Overhead;

    /// <summary>True when written, false when fenced or stale.</summary>
    public Task<bool> Outcome => outcome.Task;

    /// <summary>False when its caller has taken it back: then it must not be written.</summary>
    public bool TryTakeUp() => Interlocked.Exchange(ref taken, 1) == 0;

    public void TryTakeBack(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref taken, 1) == 0) outcome.SetCanceled(cancellationToken);
    }

    public void Settle(bool written) => outcome.TrySetResult(written);

    public void Fail(PortException failure) => outcome.TrySetException(failure);
}
