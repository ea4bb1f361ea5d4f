using Xunit;
using Xunit.Abstractions;

namespace Coordinator.Tests.Journey;

/// <summary>The same host with one setting changed: it tells peers where they reach it.</summary>
public sealed class ClusterJourneyHost : JourneyHost
{
    public const string ClusterCollection = "journey on a host of a cluster";

    protected override bool HasPeers => true;
}

[CollectionDefinition(ClusterJourneyHost.ClusterCollection)]
public sealed class ClusterJourneyHostCollection : ICollectionFixture<ClusterJourneyHost>;

/// <summary>The ten checks again, unchanged, where sessions are reached through the cluster's locations.</summary>
[Collection(ClusterJourneyHost.ClusterCollection)]
public sealed class ClusterJourneyTests(ClusterJourneyHost host, ITestOutputHelper output)
{
    [Fact]
    public async Task All_ten_checks_of_the_journey_hold_on_a_host_of_a_cluster()
    {
        await host.PlayJourneyAsync(output);
        Assert.Contains("ISessionHost = ClusterSessionHost", host.Process.Output, StringComparison.Ordinal);
    }
}
