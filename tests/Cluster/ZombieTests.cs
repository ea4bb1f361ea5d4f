using System.Diagnostics;
using Coordinator.Tests.Cluster.World;
using Xunit;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Coordinator.Tests.Cluster;

/// <summary>The owner stops for longer than its time to live, is taken over, and comes back in the belief that nothing was.</summary>
public sealed class ZombieTests(ITestOutputHelper output)
{
    private const int TimeToLive = 10;

    [Fact]
    public async Task A_zombie_writer_is_fenced_off_and_its_clients_resume()
    {
        await using var world = await ClusterWorld.StartAsync(2, timeToLive: TimeToLive);

        var played = await PlayAsync(world);

        await played();
    }

    /// <summary>The same, with the fence cut out of what the zombie writes: the test above would notice.</summary>
    [Fact]
    public async Task Without_the_fence_the_same_zombie_doubles_what_it_writes_and_is_found_out()
    {
        FencelessDatabase? open = null;
        await using var world = await ClusterWorld.StartAsync(2, (host, direct) => host == 0 ? (open = new FencelessDatabase(direct)).ConnectionString : direct, TimeToLive);
        world.Also(open!);

        var played = await PlayAsync(world);

        Assert.True(open!.Cut > 0, "The fence was never cut out.");
        var found = await Assert.ThrowsAnyAsync<XunitException>(played);
        output.WriteLine(found.Message);
    }

    /// <summary>Plays it, and gives what has to hold afterwards.</summary>
    private async Task<Func<Task>> PlayAsync(ClusterWorld world)
    {
        var (session, message) = await world.SessionAsync(0, "count to 300");
        var zombie = (await world.Journal.IdsAsync(world.Hosts[0].Url))[^1];
        var box = await world.BoxAsync(session, [1], holdBefore: 100);
        var (beside, elsewhere) = (world.Watch(session, 0, 1), world.Watch(session, 1));
        await Task.WhenAll(beside.UntilSaidAsync(message, 99), elsewhere.UntilSaidAsync(message, 99));

        // It stops with an append under way that it will want to make again: its row is held meanwhile.
        await using var held = await world.Journal.HoldAsync(session);
        box.Release(holdBefore: 110);
        await Wait.UntilAsync("the owner's append to wait", () => world.Journal.SomebodyWaitsAsync(held));
        await world.Hosts[0].SuspendAsync();
        var began = Stopwatch.GetTimestamp();
        var asked = world.ClientOf(1).PromptAsync(session, "count to 50", CancellationToken.None);
        await Wait.UntilAsync("a peer to bury the owner", () => world.Journal.IsDeadAsync(zombie));
        await held.DisposeAsync();
        var next = (await Wait.ForAsync("an answer for who asked of the hung owner", asked)).MessageId;
        output.WriteLine($"What was asked of the hung owner was answered after {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s.");
        box.Release(holdBefore: 200);
        await elsewhere.UntilSaidAsync(message, 199);

        await world.Hosts[0].ResumeAsync();
        await Wait.UntilAsync("the zombie to come back under another id", async () => await world.Journal.IdsAsync(world.Hosts[0].Url) is [.., var newest] && newest != zombie && await world.Journal.IsAliveAsync(newest));
        await Wait.UntilAsync("the zombie to have tried what it was about to write", async () => world.Hosts[0].Output.Contains("failed and ends", StringComparison.Ordinal) || await world.HasDoubledAsync(session, 1));

        return async () =>
        {
            box.Release();
            await Wait.UntilAsync("both turns to end", () => box.Problem is not null || (beside.HasEnded(next) && elsewhere.HasEnded(next)));
            await world.HoldsAsync(session, 1, box, new Dictionary<string, int> { [message] = 300, [next] = 50 }, beside, elsewhere);
            Assert.Equal(1, world.Plane!.Made);
        };
    }
}
