using System.Globalization;
using Coordinator.Adapters.LocalSandbox.Launch;
using Coordinator.Adapters.LocalSandbox.Layout;
using Coordinator.Adapters.LocalSandbox.Linux;
using Coordinator.Ports;
using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.LocalSandbox;

/// <summary>Tells what became of a box from its record and the process table alone, so that any process of this machine can.</summary>
internal sealed class BoxObserver(LocalMachine machine)
{
    public const string OutOfMemory = "out_of_memory";

    private const int Killed = 128 + Native.SignalKill;

    /// <summary>Whether anything of the box runs, and why it ended when it did.</summary>
    public SandboxInspection Observe(BoxRecord record) =>
        IsRunning(record) ? new(SandboxStatus.Running, null) : new(SandboxStatus.Stopped, record.EndDetail ?? WhyEnded(record));

    public bool IsRunning(BoxRecord record) =>
        ProcessTable.IsAlive(record.Main)
        || ProcessTable.IsAlive(record.Launcher)
        || MainPidOf(record) is not null
        || machine.Cgroups.ProcessesOf(record.Sandbox.ToString()).Count > 0
        || (record.IsDamaged && Marked(record.Sandbox).Count > 0);

    /// <summary>Whether it runs; true also when that cannot be told.</summary>
    public bool MayRun(BoxRecord record)
    {
        try
        {
            return IsRunning(record);
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            return true;
        }
    }

    /// <summary>Processes that were started with the box's mark in their environment, also those that left its process tree.</summary>
    public static IReadOnlyList<int> Marked(SandboxId sandbox) =>
        [.. ProcessTable.All().Where(entry => entry.IsAlive && ProcessTable.HasEnvironment(entry.Pid, BoxEnvironment.MarkOf(sandbox))).Select(entry => entry.Pid)];

    /// <summary>
    /// True when the box may have run something: a launcher that ended without a first process inside (the host died
    /// before it gave the word) ran nothing.
    /// </summary>
    public bool HasBegun(BoxRecord record) =>
        record.Main is not null || ((record.Launcher is not null || record.IsDamaged) && (IsRunning(record) || BoxStatus.Read(machine.Paths.Of(record.Address).Status).MainPid is not null));

    /// <summary>The living first process of a box, also of one whose host died before it wrote that down.</summary>
    public int? MainPidOf(BoxRecord record)
    {
        if (record.Main is not null) return ProcessTable.IsAlive(record.Main) ? record.Main.Pid : null;
        if (record.Launcher is null || record.Launcher.Boot != ProcessTable.CurrentBoot) return null;
        var status = BoxStatus.Read(machine.Paths.Of(record.Address).Status);

        // The number may be another process's by now: it is ours when it lives in the pid namespace that was made for the
        // box or, without isolation, when it was started with the box's mark.
        return status.MainPid is { } main && ProcessTable.Find(main) is { IsAlive: true } && IsOf(main, status, record) ? main : null;
    }

    private static bool IsOf(int main, BoxStatus status, BoxRecord record) => status.PidNamespace is { } made
        ? ProcessTable.PidNamespaceOf(main) == made
        : ProcessTable.HasEnvironment(main, BoxEnvironment.MarkOf(record.Sandbox));

    private string? WhyEnded(BoxRecord record)
    {
        var known = record.Main ?? record.Launcher;
        if (known is null) return null;
        if (known.Boot != ProcessTable.CurrentBoot) return "machine_restarted";
        var exitCode = BoxStatus.Read(machine.Paths.Of(record.Address).Status).ExitCode;
        if (exitCode is null or Killed && machine.Cgroups.OutOfMemoryKills(record.Sandbox.ToString()) > 0) return OutOfMemory;
        return exitCode is { } code ? string.Create(CultureInfo.InvariantCulture, $"exit {code}") : "killed";
    }
}
