using Coordinator.Sandbox.Bridge;

namespace Coordinator.Sandbox.Boot;

/// <summary>What every phase works with. <see cref="Tools"/> is the environment of everything it runs.</summary>
internal sealed record BootPlan(string Workspace, IReadOnlyDictionary<string, string> Tools, BoxSettings Settings)
{
    /// <summary>Stops what the boot runs, because workspace and home hold more than they may and grow.</summary>
    public CancellationToken DiskIsFull { get; init; }
}
