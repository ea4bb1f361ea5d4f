using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.LocalSandbox.Limits;

/// <summary>
/// Control groups of boxes, one per box and named by it. Every method may be called again and for a group that is not
/// there.
/// </summary>
internal interface IBoxCgroups
{
    /// <summary>For the host's start line: <c>cgroup v1</c>, <c>cgroup v2</c>, or what stands in for them.</summary>
    string Description { get; }

    /// <summary>Groups limit memory; otherwise a watchdog must.</summary>
    bool LimitsMemory { get; }

    /// <summary>Groups limit processes; otherwise the box's own limit must be set inside it.</summary>
    bool LimitsProcesses { get; }

    /// <summary>Makes the group with its limits, empty.</summary>
    void Create(string name, SandboxResources limits);

    /// <summary>Puts a process in, before it has started anything.</summary>
    void Add(string name, int pid);

    /// <summary>The living processes in it.</summary>
    IReadOnlyList<int> ProcessesOf(string name);

    /// <summary>Sends SIGKILL to everything in it.</summary>
    void Kill(string name);

    /// <summary>How often the kernel killed a process of it for want of memory.</summary>
    long OutOfMemoryKills(string name);

    /// <summary>Removes the empty group.</summary>
    void Remove(string name);
}

/// <summary>Where control groups cannot be made or are not wanted.</summary>
internal sealed class NoCgroups : IBoxCgroups
{
    public string Description => "no cgroups (process limit inside the box, memory watchdog)";

    public bool LimitsMemory => false;

    public bool LimitsProcesses => false;

    public void Create(string name, SandboxResources limits)
    {
    }

    public void Add(string name, int pid)
    {
    }

    public IReadOnlyList<int> ProcessesOf(string name) => [];

    public void Kill(string name)
    {
    }

    public long OutOfMemoryKills(string name) => 0;

    public void Remove(string name)
    {
    }
}
