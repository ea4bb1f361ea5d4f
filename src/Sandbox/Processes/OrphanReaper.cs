namespace Coordinator.Sandbox.Processes;

/// <summary>
/// This program inherits every process of the box whose parent ended, and must take their exit status, or the process
/// table fills up. .NET takes that of the processes it started itself within moments; a zombie
/// that two rounds find is nobody's.
/// </summary>
internal sealed class OrphanReaper(TimeProvider time)
{
    private static readonly TimeSpan Round = TimeSpan.FromSeconds(2);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        IReadOnlySet<ProcessId> seen = new HashSet<ProcessId>();
        while (!cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(Round, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            seen = Reap(seen);
        }
    }

    /// <summary>Reaps the zombies that were there the last time too; returns those of this time.</summary>
    private static HashSet<ProcessId> Reap(IReadOnlySet<ProcessId> seen)
    {
        var zombies = ProcessTable.Read().Where(entry => entry.IsZombie && entry.Parent == Environment.ProcessId).Select(entry => entry.Id).ToHashSet();
        foreach (var zombie in zombies.Where(seen.Contains)) Signals.Reap(zombie.Pid);
        return zombies;
    }
}
