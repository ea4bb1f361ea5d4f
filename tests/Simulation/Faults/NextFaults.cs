using Coordinator.Tests.Simulation.Hosts;

namespace Coordinator.Tests.Simulation.Faults;

/// <summary>What goes wrong with the next appends, whoever makes them.</summary>
internal sealed class NextFaults
{
    private readonly Queue<AppendFault> appends = new();

    public void Add(AppendFault fault) => appends.Enqueue(fault);

    public AppendFault TakeAppend() => appends.TryDequeue(out var fault) ? fault : AppendFault.None;

    public void Clear() => appends.Clear();
}
