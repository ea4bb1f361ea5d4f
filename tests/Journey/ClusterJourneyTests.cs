using Coordinator.Cli.Journey;
using Xunit;
using Xunit.Abstractions;

namespace Coordinator.Tests.Journey;

/// <summary>The same host with one setting changed: it tells peers where they reach it.</summary>
public sealed class ClusterJourneyHost : JourneyHost
{
    public const string ClusterCollection = "journey on a host of a cluster";

    protected override bool HasPeers => true;
}

/// <summary>It runs by itself: two hosts with boxes at once would take each other's time.</summary>
[CollectionDefinition(ClusterJourneyHost.ClusterCollection, DisableParallelization = true)]
public sealed class ClusterJourneyHostCollection : ICollectionFixture<ClusterJourneyHost>;

/// <summary>The ten checks again, unchanged, where sessions are reached through the cluster's locations.</summary>
[Collection(ClusterJourneyHost.ClusterCollection)]
public sealed class ClusterJourneyTests(ClusterJourneyHost host, ITestOutputHelper output)
{
    [Fact]
    public async Task All_ten_checks_of_the_journey_hold_on_a_host_of_a_cluster()
    {
        var results = await JourneyPlayer.PlayAsync(host.Client, new("demo/scripted", host.Sample, host, SameMachine: true) { LongestStop = TimeSpan.FromSeconds(20) }, Report, CancellationToken.None);

        var problems = results.Where(result => result.Problem is not null).Select(result => $"{result.Number} {result.Sentence}: {result.Problem}").ToList();
        Assert.True(problems.Count == 0, $"{problems.Count} of {results.Count} checks do not hold:\n{string.Join('\n', problems)}");
        Assert.Equal(Enumerable.Range(1, 10), results.Select(result => result.Number));
        Assert.Contains("ISessionHost = ClusterSessionHost", host.Process.Output, StringComparison.Ordinal);
    }

    private void Report(JourneyResult result) => output.WriteLine($"{result.Number,2} {result.Sentence}: {result.Time.TotalMilliseconds:0} ms {result.Problem}");
}
