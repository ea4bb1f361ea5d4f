using Coordinator.Sandbox.Processes;

namespace Coordinator.Sandbox.Commands;

/// <summary>
/// Tells the control plane at a steady pace that the box lives, whether it works, and what it uses. A quiet box with a
/// running turn says <c>busy</c>: silence of the agent is never idleness.
/// </summary>
internal sealed class Heartbeat(BoxParts parts, Supervisor supervisor, DiskWatch disk)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            parts.Bridge.Beat(supervisor.IsBusy, Memory(), disk.UsedBytes);
            await Task.Delay(Interval, parts.Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Resident memory of this program and everything below it.</summary>
    private static long Memory() =>
        ProcessTable.ResidentBytes(Environment.ProcessId) + ProcessTable.Descendants(ProcessTable.Read(), Environment.ProcessId).Sum(process => ProcessTable.ResidentBytes(process.Pid));
}
