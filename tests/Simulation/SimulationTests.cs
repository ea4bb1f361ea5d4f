using Coordinator.Tests.Simulation.Seeds;
using Coordinator.Tests.Simulation.Shrinking;
using Xunit;
using Xunit.Abstractions;

namespace Coordinator.Tests.Simulation;

public sealed class SimulationTests(ITestOutputHelper output)
{
    [Fact]
    public void Every_run_that_ever_failed_passes()
    {
        foreach (var run in SeedFile.Pinned)
            if (Failure.Of(run) is { } failure) Assert.Fail(failure.Report());
    }

    [Fact]
    public void No_fresh_run_breaks_an_invariant()
    {
        var first = SimulationSettings.FirstSeed;
        Tell($"fresh seeds from {first} for {SimulationSettings.Budget.TotalSeconds} s");
        var campaign = new Campaign(first, SimulationSettings.Budget);
        campaign.Run();
        Tell($"{campaign.Worlds} worlds, {campaign.Steps} steps, {campaign.MachineSteps} of them of session machines, in {campaign.Took.TotalSeconds:0.0} s: {campaign.Steps / campaign.Took.TotalSeconds:0} steps/s");
        if (campaign.Failures.Count > 0) Assert.Fail(string.Join(Environment.NewLine, campaign.Failures.Take(3).Select(failure => Shrinker.Shrink(failure).Report())));
        Assert.True(campaign.Steps >= SimulationSettings.StepsToReach, $"{campaign.Steps} steps, {SimulationSettings.StepsToReach} were to be reached.");
    }

    [Fact]
    public void Replay_of_the_run_that_is_named_or_else_of_any_is_the_same_step_by_step()
    {
        var run = SimRun.Parse(SimulationSettings.Replay ?? "20260102");
        var failure = Failure.Of(run, Mutations.Mutation.None, null, out var first);
        Failure.Of(run, Mutations.Mutation.None, new World.Trace(1), out var second);
        Assert.Equal((first.Steps, first.Fingerprint), (second.Steps, second.Fingerprint));
        if (failure is not null) Assert.Fail(failure.Report());
    }

    /// <summary>Where it is read whether or not the test fails.</summary>
    private void Tell(string line)
    {
        output.WriteLine(line);
        if (SimulationSettings.Report is { } file) File.AppendAllLines(file, [line]);
    }
}
