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
        Tell($"fresh seeds from {first} for {SimulationSettings.Budget.TotalSeconds} s and {SimulationSettings.StepsToReach} steps");
        var campaign = new Campaign(first, new(SimulationSettings.Budget, SimulationSettings.StepsToReach, SimulationSettings.Limit));
        campaign.Run();
        Tell($"{campaign.Worlds} worlds, {campaign.Steps} steps, {campaign.MachineSteps} of them of session machines, in {campaign.Took.TotalSeconds:0.0} s: {campaign.Steps / campaign.Took.TotalSeconds:0} steps/s");
        if (campaign.Failures.Count > 0) Assert.Fail(string.Join(Environment.NewLine, campaign.Failures.Take(3).Select(failure => Shrinker.Shrink(failure).Report())));
        Assert.True(campaign.ShowedEnough, campaign.Shown);
    }

    [Fact]
    public void A_campaign_goes_on_past_its_time_until_its_steps_are_made()
    {
        var campaign = new Campaign(20260102, new(TimeSpan.Zero, Steps: 1, TimeSpan.FromMinutes(5)));
        campaign.Run();
        Assert.True(campaign.ShowedEnough, campaign.Shown);
    }

    [Fact]
    public void A_campaign_of_no_world_shows_nothing_though_it_was_asked_for_no_steps()
    {
        var campaign = new Campaign(20260102, new(TimeSpan.Zero, Steps: 0, TimeSpan.Zero));
        campaign.Run();
        Assert.False(campaign.ShowedEnough, campaign.Shown);
    }

    [Fact]
    public void A_campaign_that_its_limit_ends_before_its_steps_are_made_shows_too_little_and_says_how_much()
    {
        var campaign = new Campaign(20260102, new(TimeSpan.Zero, Steps: long.MaxValue, TimeSpan.FromMilliseconds(1)));
        campaign.Run();
        Assert.False(campaign.ShowedEnough);
        Assert.Contains($"{campaign.Steps} steps of {long.MaxValue}", campaign.Shown, StringComparison.Ordinal);
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
