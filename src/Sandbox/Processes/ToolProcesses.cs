namespace Coordinator.Sandbox.Processes;

/// <summary>
/// The processes a turn's tools started: what lives below the agent now and did not before the turn, so that the
/// agent's own helpers and servers left running by earlier turns are spared.
/// </summary>
internal sealed class ToolProcesses
{
    private readonly int agent;
    private readonly IReadOnlySet<ProcessId> before;

    private ToolProcesses(int agent, IReadOnlySet<ProcessId> before) => (this.agent, this.before) = (agent, before);

    /// <summary>Remembers what is there before a turn of the agent with this process id.</summary>
    public static ToolProcesses Before(int agent) => new(agent, ProcessTable.Descendants(ProcessTable.Read(), agent));

    /// <summary>What the turn started and still runs. Kept, since a process whose parent ended is found below nobody.</summary>
    public IReadOnlyList<ProcessId> Started() =>
        agent <= 1 ? [] : ProcessTable.Descendants(ProcessTable.Read(), agent).Where(process => !before.Contains(process)).ToArray();

    public static bool AnyLives(IReadOnlyCollection<ProcessId> processes) => processes.Count > 0 && Living(processes).Any();

    /// <summary>Signals those that still run; a number that another process has now is not signalled.</summary>
    public static void SignalLiving(IReadOnlyCollection<ProcessId> processes, Signal signal)
    {
        foreach (var process in Living(processes)) Signals.Send(process.Pid, signal);
    }

    private static IEnumerable<ProcessId> Living(IReadOnlyCollection<ProcessId> processes)
    {
        var living = ProcessTable.Read().Where(entry => !entry.IsZombie).Select(entry => entry.Id).ToHashSet();
        return processes.Where(living.Contains);
    }
}
