using Coordinator.Tests.Cluster.World;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Cluster;

/// <summary>A session loses its host and its box in one moment: nothing dials in for it, and here nobody asks.</summary>
public sealed class TwoDeathsTests
{
    [Fact]
    public async Task A_session_whose_box_dies_as_its_owner_loses_its_lock_or_is_killed_goes_on_before_it_was_to_be_looked_at()
    {
        await using var world = await ClusterWorld.StartAsync(2);

        await GoesOnAfterAsync(world, async () => await world.Journal.CutLockAsync((await world.Journal.IdsAsync(world.Hosts[0].Url))[^1]));
        var session = await GoesOnAfterAsync(world, world.Hosts[0].KillAsync);

        Assert.Equal(world.Hosts[1].Url, await world.Journal.OwnerAsync(session));
    }

    /// <summary>Plays a session in the middle of a turn, one more waiting, whose box is gone as soon as its connection is.</summary>
    private static async Task<string> GoesOnAfterAsync(ClusterWorld world, Func<Task> strike)
    {
        var (session, message) = await world.SessionAsync(0, "count to 300");
        var box = await world.BoxAsync(session, [0], holdBefore: 100);
        var client = world.Watch(session, 0);
        await client.UntilSaidAsync(message, 99);
        await world.ClientOf(0).PromptAsync(session, "count to 10", CancellationToken.None);
        box.DieWithConnection();
        await world.Plane!.LoseAsync(session);
        var (asleepUntil, made) = (await world.Journal.WakeAtAsync(session), world.Plane.Made);

        await strike();

        await Eventually.HoldsAsync(() => world.Plane.Made > made, "another box");
        Assert.True(await world.Journal.IsToComeAsync(asleepUntil), "It slept until its next look.");
        Assert.Empty(await world.Journal.FlawsAsync(session));
        return session;
    }
}
