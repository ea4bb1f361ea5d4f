using Coordinator.Tests.Simulation.Mutations;
using Coordinator.Tests.Simulation.Shrinking;
using Xunit;

namespace Coordinator.Tests.Simulation;

public sealed class ShrinkingTests
{
    [Fact]
    public void A_failing_run_is_made_smaller_and_still_fails_in_the_same_way_when_read_back()
    {
        var failure = Enumerable.Range(1, 500).Select(seed => Failure.Of(new(seed), Mutation.AcceptedNotWritten)).First(found => found is not null)!;
        var small = Shrinker.Shrink(failure);
        Assert.True(small.Run.Plan().Happenings.Count * 2 < failure.Run.Plan().Happenings.Count, $"{small.Run} is still large.");
        var again = Failure.Of(SimRun.Parse(small.Run.ToString()), Mutation.AcceptedNotWritten);
        Assert.Equal((small.Step, small.Invariant), (again?.Step, again?.Invariant));
    }

    [Fact]
    public void A_report_names_seed_step_and_invariant_and_how_to_replay()
    {
        var failure = Failure.Of(new(1), Mutation.PublishBeforeAppend)!;
        var report = failure.Report();
        Assert.Contains($"seed {failure.Run.Seed}, step {failure.Step}, invariant 1 ", report, StringComparison.Ordinal);
        Assert.Contains($"COORDINATOR_SIMULATION_REPLAY='{failure.Run}'", report, StringComparison.Ordinal);
    }
}
