using Coordinator.Tests.Support;

namespace Coordinator.Tests.Journey;

/// <summary>The host that most tests share, and beside it those with a host of their own.</summary>
public sealed class JourneyOrder() : LongestFirst(JourneyHost.Collection, ModalJourneyHost.ModalCollection, ".RestoreTests", ".FullDatabaseDiskTests", ClusterJourneyHost.ClusterCollection, ".UnisolatedTests", ".FullDiskTests")
{
    public const string Name = "Coordinator.Tests.Journey.JourneyOrder";
    public const string Assembly = "Coordinator.Tests.Journey";
}
