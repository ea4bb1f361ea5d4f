using Coordinator.Tests.Support;

namespace Coordinator.Tests.Cluster;

/// <summary>What waits for a time to live to pass, and beside it what works.</summary>
public sealed class ClusterOrder() : LongestFirst(".ZombieTests", ".HungOwnerTests", ".DrainTests")
{
    public const string Name = "Coordinator.Tests.Cluster.ClusterOrder";
    public const string Assembly = "Coordinator.Tests.Cluster";
}
