using Xunit;
using Xunit.Abstractions;

namespace Coordinator.Tests.Support;

/// <summary>Begins with the collections that take longest, so that nothing is left to wait for alone at the end; the rest by name.</summary>
/// <param name="longest">Parts of their names, the longest first.</param>
public abstract class LongestFirst(params string[] longest) : ITestCollectionOrderer
{
    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) =>
        testCollections.OrderBy(RankOf).ThenBy(collection => collection.DisplayName, StringComparer.Ordinal);

    private int RankOf(ITestCollection collection)
    {
        var rank = Array.FindIndex(longest, name => collection.DisplayName.Contains(name, StringComparison.Ordinal));
        return rank < 0 ? longest.Length : rank;
    }
}
