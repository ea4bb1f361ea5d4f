using Coordinator.Tests.WalkingSkeleton.World;
using Xunit;

namespace Coordinator.Tests.WalkingSkeleton;

/// <summary>The host is away for longer than a box may take to call back.</summary>
public sealed class AbsenceTests
{
    private static readonly TimeSpan Away = TimeSpan.FromMinutes(10);

    [Fact]
    public async Task A_box_that_had_nobody_to_call_is_heard_when_the_host_is_back_and_its_message_runs()
    {
        await using var world = await BootingAsync();
        var message = await world.PromptAsync("@say Here.");
        await world.UntilSeenAsync("sandbox.booting");

        await world.RestartHostAsync(Away);
        await world.PassAsync(TimeSpan.FromSeconds(20));
        world.LetBoxesDialBack();
        await world.UntilEndedAsync(message);

        Assert.Equal("completed", world.OutcomeOf(message));
        Assert.Equal(1, world.Provider.Made);
    }

    [Fact]
    public async Task A_box_that_never_calls_is_given_up_after_the_host_is_back_and_ended()
    {
        await using var world = await BootingAsync();
        var message = await world.PromptAsync("@say Here.");
        await world.UntilSeenAsync("sandbox.booting");

        await world.RestartHostAsync(Away);
        await world.UntilEndedAsync(message, TimeSpan.FromMinutes(3));

        Assert.Equal("failed boot_timeout", world.OutcomeOf(message));
        await world.UntilAsync("no box left", () => world.Provider.Running.Count == 0);
    }

    private static async Task<Skeleton> BootingAsync()
    {
        var world = await Skeleton.StartAsync();
        world.BoxesDialBack = false;
        await world.CreateAsync();
        return world;
    }
}
