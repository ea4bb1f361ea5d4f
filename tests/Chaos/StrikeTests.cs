using Coordinator.Ports;
using Coordinator.Tests.Chaos.Checks;
using Coordinator.Tests.Chaos.Strikes;
using Coordinator.Tests.Chaos.World;
using Xunit;
using Xunit.Abstractions;

namespace Coordinator.Tests.Chaos;

/// <summary>The short form of what <c>tests/Chaos/run.sh</c> plays for as long as it is told.</summary>
public sealed class StrikeTests(ITestOutputHelper output)
{
    private const int Seed = 20;

    [Fact]
    public async Task A_host_its_database_a_bridge_an_agent_a_box_a_network_and_a_boxs_link_struck_under_load_cost_time_and_nothing_else()
    {
        var (report, folder) = (new ChaosReport(), new EvidenceFolder(Path.Combine(AppContext.BaseDirectory, "evidence")));
        await using (var world = await ChaosWorld.StartAsync(1))
        {
            await using var round = await ChaosRound.StartAsync(world, report, 3, Seed, CancellationToken.None);
            await round.StrikeEachOnceAsync(CancellationToken.None);
            await round.CheckAsync(folder, CancellationToken.None);
            Assert.Contains(await world.FlawsAsync(PrefixedId.Format("ses", Guid.Empty), 1), flaw => flaw.Contains("end at event 0", StringComparison.Ordinal)); // it does look into the database
            if (report.Findings.Count > 0) world.Keep(folder);
        }

        output.WriteLine(report.ToString());
        Assert.Empty(report.Findings);
        Assert.Equal(StrikeKinds.With(hosts: 1), report.Strikes.Select(strike => strike.Kind).Distinct().Order());
        foreach (var network in new[] { StrikeKind.Network, StrikeKind.BoxLink })
            Assert.Equal(Enum.GetValues<Trouble>(), report.Strikes.Where(strike => strike.Kind == network).Select(strike => strike.Trouble).OfType<Trouble>().Order());
    }
}
