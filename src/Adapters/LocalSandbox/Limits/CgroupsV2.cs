using System.Globalization;
using Coordinator.Adapters.LocalSandbox.Linux;
using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.LocalSandbox.Limits;

/// <summary>Version 2: one hierarchy, whose parent group hands the controllers on.</summary>
internal sealed class CgroupsV2(string parent) : IBoxCgroups
{
    private const int PeriodMicroseconds = 100_000;

    public string Description => "cgroup v2";

    public bool LimitsMemory => true;

    public bool LimitsProcesses => true;

    public void Create(string name, SandboxResources limits)
    {
        var group = Path.Combine(parent, name);
        Directory.CreateDirectory(group);
        CgroupFiles.Write(group, "memory.max", limits.MemoryBytes);
        if (File.Exists(Path.Combine(group, "memory.swap.max"))) CgroupFiles.Write(group, "memory.swap.max", 0);
        CgroupFiles.Write(group, "pids.max", limits.Processes);
        var quota = (long)(limits.Cpus * PeriodMicroseconds);
        if (File.Exists(Path.Combine(group, "cpu.max"))) CgroupFiles.Write(group, "cpu.max", string.Create(CultureInfo.InvariantCulture, $"{quota} {PeriodMicroseconds}"));
    }

    public void Add(string name, int pid) => CgroupFiles.Write(Path.Combine(parent, name), "cgroup.procs", pid);

    public IReadOnlyList<int> ProcessesOf(string name) => CgroupFiles.Processes(Path.Combine(parent, name));

    public void Kill(string name)
    {
        var group = Path.Combine(parent, name);
        if (File.Exists(Path.Combine(group, "cgroup.kill"))) CgroupFiles.Write(group, "cgroup.kill", 1);
        foreach (var pid in ProcessesOf(name)) Native.Signal(pid, Native.SignalKill);
    }

    public long OutOfMemoryKills(string name) => CgroupFiles.Counter(Path.Combine(parent, name), "memory.events", "oom_kill");

    public void Remove(string name) => CgroupFiles.TryRemove(Path.Combine(parent, name));
}
