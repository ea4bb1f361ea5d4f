using Coordinator.Adapters.LocalSandbox.Layout;
using Coordinator.Adapters.LocalSandbox.Linux;
using Coordinator.Ports;

namespace Coordinator.Adapters.LocalSandbox;

/// <summary>Ends boxes for certain, whoever started them.</summary>
internal sealed class BoxEnder(LocalMachine machine, TimeProvider time)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    private readonly BoxObserver observer = new(machine);

    /// <summary>Returns when nothing of the box runs, and its control group is gone.</summary>
    /// <exception cref="PortException"><see cref="PortFailureKind.Timeout"/>: the kernel has not ended it in time.</exception>
    public async ValueTask EndAsync(BoxRecord record, CancellationToken cancellationToken)
    {
        var name = record.Sandbox.ToString();
        var since = time.GetTimestamp();

        // A process that is dying has lost what it was known by, and is not gone yet.
        HashSet<ProcessIdentity> killed = [];
        while (KillOnce(record, name, killed) || killed.Any(ProcessTable.IsAlive))
        {
            if (time.GetElapsedTime(since) > Limit)
                throw new PortException(PortFailureKind.Timeout, $"{name} has not ended {Limit.TotalSeconds} seconds after it was killed.", effectMayHaveHappened: true);
            await Task.Delay(Pause, time, cancellationToken);
        }

        machine.Cgroups.Remove(name);
    }

    /// <summary>True when there was something to kill.</summary>
    private bool KillOnce(BoxRecord record, string name, HashSet<ProcessIdentity> killed)
    {
        var strays = record.Isolated ? [] : BoxObserver.Marked(record.Sandbox);
        if (!observer.IsRunning(record) && strays.Count == 0) return false;

        // The first process of a pid namespace takes all others with it; its death is complete only when theirs is.
        if (observer.MainPidOf(record) is { } main) Native.Signal(main, Native.SignalKill);
        if (ProcessTable.IsAlive(record.Launcher)) killed.UnionWith(KillTree(record.Launcher!.Pid));
        foreach (var stray in strays)
        {
            // Without a record the mark is all there is, and who hides its environment is found below who does not.
            if (record.IsDamaged)
            {
                killed.UnionWith(KillTree(stray));
                continue;
            }

            if (ProcessTable.Identify(stray) is { } known) killed.Add(known);
            Native.Signal(stray, Native.SignalKill);
        }

        machine.Cgroups.Kill(name);
        return true;
    }

    /// <summary>
    /// Kills a process that may be about to start another: it is stopped first, so that what it started can be seen and
    /// nothing is added meanwhile. Gives what was killed.
    /// </summary>
    private static IEnumerable<ProcessIdentity> KillTree(int root)
    {
        if (!Native.Signal(root, Native.SignalStop)) return [];
        var tree = ProcessTable.Tree(root, ProcessTable.All());
        foreach (var process in tree.Reverse()) Native.Signal(process.Pid, Native.SignalKill);
        return tree.Select(process => new ProcessIdentity(process.Pid, process.StartTicks, ProcessTable.CurrentBoot));
    }
}
