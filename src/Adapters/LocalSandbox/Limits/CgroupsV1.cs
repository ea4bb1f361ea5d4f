using System.Globalization;
using Coordinator.Adapters.LocalSandbox.Linux;
using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.LocalSandbox.Limits;

/// <summary>
/// Version 1 with one hierarchy per controller, and where the kernel also mounts version 2 beside it ("hybrid"), a
/// group there, for its <c>cgroup.kill</c>.
/// </summary>
internal sealed class CgroupsV1 : IBoxCgroups
{
    private const int PeriodMicroseconds = 100_000;

    private readonly string memory;
    private readonly string pids;
    private readonly string? cpu;
    private readonly string? unified;

    /// <summary>Each argument is the parent directory of the boxes' groups in that hierarchy.</summary>
    public CgroupsV1(string memory, string pids, string? cpu, string? unified) => (this.memory, this.pids, this.cpu, this.unified) = (memory, pids, cpu, unified);

    public string Description => "cgroup v1";

    public bool LimitsMemory => true;

    public bool LimitsProcesses => true;

    public void Create(string name, SandboxResources limits)
    {
        foreach (var parent in Parents()) Directory.CreateDirectory(Path.Combine(parent, name));
        var group = Path.Combine(memory, name);
        CgroupFiles.Write(group, "memory.limit_in_bytes", limits.MemoryBytes);

        // Memory and swap together: without it a box at its limit would go on in the machine's swap.
        if (File.Exists(Path.Combine(group, "memory.memsw.limit_in_bytes"))) CgroupFiles.Write(group, "memory.memsw.limit_in_bytes", limits.MemoryBytes);
        CgroupFiles.Write(Path.Combine(pids, name), "pids.max", limits.Processes);
        if (cpu is null) return;
        CgroupFiles.Write(Path.Combine(cpu, name), "cpu.cfs_period_us", PeriodMicroseconds);
        CgroupFiles.Write(Path.Combine(cpu, name), "cpu.cfs_quota_us", (long)(limits.Cpus * PeriodMicroseconds));
    }

    public void Add(string name, int pid)
    {
        foreach (var parent in Parents()) CgroupFiles.Write(Path.Combine(parent, name), "cgroup.procs", pid.ToString(CultureInfo.InvariantCulture));
    }

    public IReadOnlyList<int> ProcessesOf(string name) => CgroupFiles.Processes(Path.Combine(pids, name));

    public void Kill(string name)
    {
        if (unified is not null && File.Exists(Path.Combine(unified, name, "cgroup.kill"))) CgroupFiles.Write(Path.Combine(unified, name), "cgroup.kill", "1");
        foreach (var pid in ProcessesOf(name)) Native.Signal(pid, Native.SignalKill);
    }

    public long OutOfMemoryKills(string name) => CgroupFiles.Counter(Path.Combine(memory, name), "memory.oom_control", "oom_kill");

    public void Remove(string name)
    {
        foreach (var parent in Parents()) CgroupFiles.TryRemove(Path.Combine(parent, name));
    }

    private IEnumerable<string> Parents() => new[] { memory, pids, cpu, unified }.OfType<string>();
}
