using Coordinator.Ports;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Logging;

namespace Coordinator.Adapters.Postgres.Journal;

/// <summary>
/// All appends of the host on their way to the database. A session always goes to the same writer, so two statements of
/// one host never wait for each other; while somebody else holds its row, it goes to one that all such sessions share. The bytes on the way are bounded: beyond it, appending waits.
/// </summary>
internal sealed class AppendPipeline : IAsyncDisposable
{
    private readonly AppendWriter[] writers;
    private readonly AppendWriter apart;
    private readonly ByteBudget budget;
    private readonly JournalOptions options;

    public AppendPipeline(SystemDataSource system, JournalOptions options, DatabasePatience patience, TimeProvider time, ILogger logger)
    {
        this.options = options;
        budget = new(options.PendingBytes);
        var held = new HeldSessions();
        apart = new(system, options, patience, held, apart: null, time, logger);
        writers = [.. Enumerable.Range(0, options.Writers).Select(_ => new AppendWriter(system, options, patience, held, apart, time, logger))];
    }

    /// <summary>As <see cref="ISessionJournal.AppendAsync"/>. Cancelled only while nothing was written.</summary>
    public ValueTask<bool> AppendAsync(JournalLease lease, JournalAppend append, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(append.EventCount);
        var pending = new PendingAppend(lease, append, budget);
        if (pending.Bytes > options.AppendBytes) throw new PortException(PortFailureKind.Rejected, $"An append of {pending.Bytes} bytes is above the limit of {options.AppendBytes}; keep large things as artifacts.");
        if (cancellationToken.CanBeCanceled || !budget.TryAcquire(pending.Bytes)) return AppendAsync(pending, cancellationToken);
        Enqueue(pending);
        return pending.Outcome;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var writer in writers) await writer.DisposeAsync();
        await apart.DisposeAsync();
    }

    private async ValueTask<bool> AppendAsync(PendingAppend pending, CancellationToken cancellationToken)
    {
        await budget.AcquireAsync(pending.Bytes, cancellationToken);
        if (cancellationToken.IsCancellationRequested) // once enqueued, a free writer may be faster than the registration
        {
            budget.Release(pending.Bytes);
            throw new OperationCanceledException(cancellationToken);
        }

        Enqueue(pending);
        await using var registration = cancellationToken.UnsafeRegister(_ => pending.TryTakeBack(cancellationToken), null);
        return await pending.Outcome;
    }

    /// <summary>With its bytes acquired, which are given back when it is over.</summary>
    private void Enqueue(PendingAppend pending)
    {
        if (writers[(uint)pending.Lease.Key.Session.GetHashCode() % (uint)writers.Length].TryEnqueue(pending)) return;
        budget.Release(pending.Bytes);
        throw new PortException(PortFailureKind.Unavailable, "The host is stopping; this append was not written.");
    }
}
