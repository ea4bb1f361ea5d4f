using Coordinator.Ports.Session;

namespace Coordinator.Adapters.InProcess;

/// <summary>Keeps snapshots of one session beside what it goes on to do, one at a time: nobody waits for a snapshot but the end of its activation.</summary>
/// <param name="covered">The version up to which a snapshot covers the session.</param>
internal sealed class SnapshotKeeper(ActivationServices services, JournalLease lease, ISessionMachine machine, long covered)
{
    private long covered = covered;
    private Task saving = Task.CompletedTask;

    /// <summary>Begins one when enough has been appended since the last. Only while no append is in flight: what is folded is durable.</summary>
    public void KeepNowAndThen()
    {
        if (saving.IsCompleted && machine.Version - covered >= services.Options.SnapshotEvery) saving = SaveAsync();
    }

    /// <summary>Waits for one that is being kept, and keeps what the next host would have to fold, unless the actor is not to be trusted.</summary>
    public async Task EndAsync(bool hasFailed)
    {
        await saving;
        if (!hasFailed && machine.Version - covered >= services.Options.SnapshotAtRest) await SaveAsync();
    }

    private async Task SaveAsync()
    {
        covered = machine.Version;
        try
        {
            await services.Journal.SaveSnapshotAsync(lease, machine.Snapshot(), CancellationToken.None);
        }
        catch (Exception e)
        {
            // Whatever it is: the records say the same.
            services.Log.SnapshotFailed(e, lease.Key);
        }
    }
}
