using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Adapters.InProcess;

/// <summary>
/// How a session comes to be in memory on a host, until that host has ended. <paramref name="opened"/> is told of each that there
/// was before and that the host has now.
/// </summary>
internal sealed class SessionOpening(ISessionJournal journal, ISessionMachineFactory machines, HostId host, Action<SessionKey>? opened, ActivationServices services) : IDisposable
{
    private readonly CancellationTokenSource ended = new();

    /// <summary>The session's actor under a lease of its own; null when there is no such session and none is to be made.</summary>
    public async Task<Activation?> OpenAsync(SessionKey key, bool create)
    {
        using var limit = new CancellationTokenSource(services.Options.CallTimeout, services.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ended.Token);
        try
        {
            return await OpenAsync(key, create, either.Token);
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            throw InProcessSessionHost.Stopping(isPlanned: false); // whoever began it may have gone, and the session may have another host by now
        }
        catch (OperationCanceledException e) when (limit.IsCancellationRequested)
        {
            throw new PortException(PortFailureKind.Timeout, "The journal did not answer in time; the session could not be opened.", inner: e);
        }
    }

    /// <summary>Gives up what is under way, and opens nothing more.</summary>
    public Task EndAsync() => ended.CancelAsync();

    public void Dispose() => ended.Dispose();

    private async Task<Activation?> OpenAsync(SessionKey key, bool create, CancellationToken cancellationToken)
    {
        if (await journal.OpenAsync(key, host, create, cancellationToken) is not { } lease) return null;
        if (lease.Version > 0) opened?.Invoke(key);
        var machine = machines.Create(lease);
        var covered = 0L;
        try
        {
            // A session that is being made has nothing to be read.
            if (lease.Version > 0) (machine, covered) = await RestoreAsync(lease, cancellationToken);
        }
        catch (Exception e) when (e is UnknownRecordException or System.Text.Json.JsonException or InvalidOperationException or FormatException)
        {
            await journal.ReleaseAsync(lease, cancellationToken);
            throw new PortException(PortFailureKind.Corrupt, $"The journal of session {key} cannot be read by this release, so it is not activated here.", inner: e);
        }

        return new Activation(services, lease, machine, covered);
    }

    /// <summary>The machine as the journal tells it, and up to which version a snapshot covers that.</summary>
    private async Task<(ISessionMachine Machine, long Covered)> RestoreAsync(JournalLease lease, CancellationToken cancellationToken)
    {
        var machine = Begin(lease, await journal.FindSnapshotAsync(lease.Key, cancellationToken));
        var covered = machine.Version;
        await foreach (var record in journal.ReadAsync(lease.Key, covered, cancellationToken)) machine.Replay(record);
        return (machine, covered);
    }

    /// <summary>From the snapshot where it helps; the records say the same.</summary>
    private ISessionMachine Begin(JournalLease lease, JournalSnapshot? snapshot)
    {
        var machine = machines.Create(lease);
        if (snapshot is null || snapshot.Version > lease.Version || machine.Restore(snapshot)) return machine;
        var anew = machines.Create(lease);

        // Another release's snapshot has another shape, which is nothing to speak of.
        if (snapshot.ShapeHash == anew.Snapshot().ShapeHash) services.Log.SnapshotDamaged(lease.Key, snapshot.Version);
        return anew;
    }
}
