using Coordinator.Tests.Conformance.AgentRuntime;
using Xunit;
using Xunit.Abstractions;

namespace Coordinator.Tests.Conformance;

/// <summary>Begins with what takes longest and goes one by one, so that nothing is left to wait for alone at the end; the rest by name.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    public const string Name = "Coordinator.Tests.Conformance.LongestFirst";
    public const string Assembly = "Coordinator.Tests.Conformance";

    private static readonly string[] Long = [RealAgentHarness.OneAtATime, RealAgentHarness.OneAtATimeOverAcp, RealAgentHarness.OneAtATimeBeyondTheContract, ".EmbeddedPostgresTests", ".DatabaseBadDayTests", ".ModalFaultTests"];

    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) =>
        testCollections.OrderBy(RankOf).ThenBy(collection => collection.DisplayName, StringComparer.Ordinal);

    private static int RankOf(ITestCollection collection)
    {
        var rank = Array.FindIndex(Long, name => collection.DisplayName.Contains(name, StringComparison.Ordinal));
        return rank < 0 ? Long.Length : rank;
    }
}
