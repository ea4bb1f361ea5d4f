using Coordinator.Tests.WalkingSkeleton.World;
using Xunit;

namespace Coordinator.Tests.WalkingSkeleton;

/// <summary>The provider makes the box, which calls back at once, and the answer to create is lost.</summary>
public sealed class LostCreateTests
{
    [Fact]
    public async Task A_box_whose_create_was_never_answered_works_is_known_and_is_not_made_twice()
    {
        await using var world = await Skeleton.StartAsync();
        await world.CreateAsync();
        world.Provider.CreateFaults.LoseResponses(2);
        var message = await world.PromptAsync("@run sleep 1000");
        await world.UntilSeenAsync("tool.started");
        await world.PassAsync(TimeSpan.FromSeconds(10));

        Assert.Equal(1, world.Provider.Made);
        world.KillBox();
        await world.UntilSeenAsync("sandbox.lost");

        Assert.Equal("outOfMemory", world.Watch.Seen.Last(happened => happened.Type == "sandbox.lost").Text("reason"));
        Assert.Equal("failed interrupted", world.OutcomeOf(message));
    }

    [Fact]
    public async Task A_box_whose_create_is_never_answered_is_ended_with_its_session_all_the_same()
    {
        await using var world = await Skeleton.StartAsync();
        await world.CreateAsync();
        world.Provider.CreateFaults.LoseResponses(int.MaxValue);
        Assert.Equal("completed", await world.RunAsync("@say Hello."));
        await world.PassAsync(TimeSpan.FromSeconds(20));
        Assert.Single(world.Provider.Running);

        await world.ArchiveAsync();
        await world.UntilAsync("no box left", () => world.Provider.Running.Count == 0 && world.LivingBoxes == 0);
        Assert.Equal(1, world.Provider.Made);
    }
}
