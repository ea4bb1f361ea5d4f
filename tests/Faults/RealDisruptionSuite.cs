using Coordinator.Tests.Faults.Real;
using Coordinator.Tests.WalkingSkeleton.World;
using Xunit;
using Xunit.Abstractions;

namespace Coordinator.Tests.Faults;

/// <summary>
/// Plays what the catalogs say of the real adapters: the same walk of a session, in real time, over PostgreSQL, git, the
/// data plane, a model provider and a receiver, each behind a proxy that does what networks do. What holds after every
/// fault holds here too, and besides: no transaction and no connection is left behind, and no secret is in the log.
/// </summary>
public sealed class RealDisruptionSuite(RealPeers peers, ITestOutputHelper output) : IClassFixture<RealPeers>
{
    public static TheoryData<string, string, string> Everything
    {
        get
        {
            var all = new TheoryData<string, string, string>();
            foreach (var catalog in FaultCatalogs.All)
            {
                foreach (var play in catalog.OnReal) all.Add(catalog.Port.Name, play.Of, play.How);
            }

            return all;
        }
    }

    private static readonly string[] WentWell = ["ok", "completed", "cancelled", "archived"];

    [Theory]
    [MemberData(nameof(Everything))]
    public async Task Every_fault_of_the_real_adapter_fails_closed(string port, string name, string how)
    {
        var play = FaultCatalogs.Of(port).OnReal.Single(play => play.Of == name && play.How == how);
        var outside = new RealOutside(peers, output, play);
        await using (var world = await Skeleton.StartAsync(outside: outside))
        {
            var fault = play.In(outside, FaultCatalogs.Find(port, name));
            await Disruption.PlayAsync(world, fault);

            if (play.IsOfNetwork && WentWell.Contains(fault.Sees)) Assert.True(outside.Shown > 0, "The fault was never done to anybody.");
            await world.UntilAsync("no transaction is left open", () => outside.CountConnections("state LIKE 'idle in transaction%'") == 0);
            await Disruption.LeavesNothingAsync(world);
            await world.UntilAsync("no connection is left open", () => outside.CountConnections("true") == 0);
        }

        Assert.True(outside.KeepsSecrets, "A secret stands in the log.");
    }

    [Fact]
    public void A_catalog_plays_on_the_real_adapter_or_says_why_not()
    {
        Assert.All(FaultCatalogs.All, catalog =>
        {
            Assert.True(catalog.OnReal.Count > 0 != catalog.WhyNotOnReal is not null, $"{catalog.Port.Name}: {catalog.WhyNotOnReal}");
            Assert.Subset(catalog.Faults.Select(fault => fault.Name).ToHashSet(), catalog.OnReal.Select(play => play.Of).ToHashSet());
            Assert.Distinct(catalog.OnReal.Select(play => play.ToString()));
        });
    }

    [Theory]
    [MemberData(nameof(DisruptionSuite.Ports), MemberType = typeof(DisruptionSuite))]
    public void A_general_fault_is_played_on_the_real_adapter_or_it_is_said_why_not(string port)
    {
        var catalog = FaultCatalogs.Of(port);
        if (catalog.OnReal.Count == 0) return;
        var possible = catalog.Faults.Where(fault => fault.Is is not null).ToLookup(fault => fault.Is!.Value, fault => fault.Name);
        var played = possible.Where(faults => faults.Any(name => catalog.OnReal.Any(play => play.Of == name))).Select(faults => faults.Key).ToHashSet();

        Assert.Empty(possible.Select(faults => faults.Key).Except(played).Except(catalog.NotOnReal.Keys));
        Assert.Empty(played.Intersect(catalog.NotOnReal.Keys));
        Assert.All(catalog.NotOnReal.Values, reason => Assert.True(reason.Split(' ').Length >= 5, $"'{reason}' is no reason."));
    }
}
