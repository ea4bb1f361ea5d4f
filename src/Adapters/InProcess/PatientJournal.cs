using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Adapters.InProcess;

/// <summary>
/// The journal as activations use it: an append that was certainly not written because the store is down or full is tried again
/// with backoff for a while, so that a restart of the database costs a pause and not the actor.
/// </summary>
internal sealed class PatientJournal(ISessionJournal journal, TimeSpan patience, TimeProvider time, HostLog log)
{
    public async ValueTask<bool> AppendAsync(JournalLease lease, JournalAppend record, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await journal.AppendAsync(lease, record, cancellationToken);
            }
            catch (PortException e) when (!e.EffectMayHaveHappened && e.Kind is PortFailureKind.Unavailable or PortFailureKind.Timeout or PortFailureKind.Limited or PortFailureKind.Full && time.GetElapsedTime(began) < patience)
            {
                if (attempt == 1) log.JournalDown(e, lease.Key);
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(1_000, 20 << Math.Min(attempt, 6))), time, cancellationToken);
            }
        }
    }

    public ValueTask SaveSnapshotAsync(JournalLease lease, JournalSnapshot snapshot, CancellationToken cancellationToken) => journal.SaveSnapshotAsync(lease, snapshot, cancellationToken);

    public ValueTask ReleaseAsync(JournalLease lease, CancellationToken cancellationToken) => journal.ReleaseAsync(lease, cancellationToken);

    public ValueTask HandOverAsync(JournalLease lease, CancellationToken cancellationToken) => journal.HandOverAsync(lease, cancellationToken);
}
