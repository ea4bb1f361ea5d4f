using Coordinator.Tests.Simulation.Mutations;
using Coordinator.Tests.Simulation.Seeds;
using Coordinator.Tests.Simulation.Shrinking;
using Xunit;
using Xunit.Abstractions;

namespace Coordinator.Tests.Simulation;

/// <summary>That the simulation bites: each bug of a list, played at a seam, is found, and a world without it is not accused.</summary>
public sealed class MutationTests(ITestOutputHelper output)
{
    /// <summary>Far fewer than the budget of fresh seeds runs.</summary>
    private const int MostFreshRuns = 4_000;

    public static TheoryData<string> All => [.. Enum.GetNames<Mutation>().Where(name => name != nameof(Mutation.None))];

    [Theory]
    [MemberData(nameof(All))]
    public void Each_bug_is_found_by_the_runs_pinned_for_it_by_the_invariant_meant_for_it_and_only_when_it_is_there(string name)
    {
        var mutation = Enum.Parse<Mutation>(name);
        var pinned = SeedFile.Of(name);
        Assert.True(pinned.Count >= 2, $"Two runs at least are pinned for {name}.");
        Assert.All(pinned, run => Assert.Null(Failure.Of(run)));
        var found = pinned.Select(run => Failure.Of(run, mutation)).OfType<Failure>().ToList();
        var finds = found.FindAll(IsOnPurpose);
        output.WriteLine($"{name} is found by {finds.Count} of {pinned.Count} pinned runs, and by {found.Count - finds.Count} by accident");
        Assert.True(finds.Count > 0, $"{name} is found by none of the {pinned.Count} runs pinned for it: pin others in Seeds/mutations.txt.");
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Each_bug_is_found_by_fresh_runs_by_the_invariant_meant_for_it(string name)
    {
        var mutation = Enum.Parse<Mutation>(name);
        var first = SimulationSettings.FirstSeed;
        var accidents = 0;
        long steps = 0;
        for (var i = 0; i < MostFreshRuns; i++)
        {
            var failure = Failure.Of(new(first + i), mutation, null, out var world);
            steps += world.Steps;
            if (failure is null) continue;
            if (!IsOnPurpose(failure))
            {
                accidents++;
                continue;
            }

            output.WriteLine($"{name} is found by run {i + 1}, seed {failure.Run}, after {steps} steps and {accidents} accidents: {failure.Detail.Split('\n')[0]}");
            return;
        }

        Assert.Fail($"{name} is not found by {MostFreshRuns} runs from seed {first}, {steps} steps; {accidents} found it by accident.");
    }

    private static bool IsOnPurpose(Failure found) => BreaksAttribute.Of(found.Mutation).Contains(found.Invariant);
}
