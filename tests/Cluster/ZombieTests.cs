using System.Diagnostics;
using Coordinator.Tests.Cluster.World;
using Coordinator.Tests.Support;
using Xunit;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Coordinator.Tests.Cluster;

/// <summary>The owner stops for longer than its time to live, is taken over, and comes back in the belief that nothing was.</summary>
public sealed class ZombieTests(ITestOutputHelper output)
{
    private const int TimeToLive = 30;
    private const int ShortLife = 10;

    [Fact]
    public async Task A_zombie_writer_is_fenced_off_and_its_clients_resume()
    {
        await using var world = await ClusterWorld.StartAsync(2, timeToLive: TimeToLive);

        var played = await PlayAsync(world);

        // Not before its peers could know that it hangs, and within its time to live: nobody waited for what it still had open, or for an answer of it (35 s).
        Assert.InRange(played.Answered, TimeSpan.FromSeconds(TimeToLive * 0.6), TimeSpan.FromSeconds(TimeToLive));
        await played.Holds();
    }

    /// <summary>The same, with the fence cut out of what the zombie writes: the test above would notice.</summary>
    [Fact]
    public async Task Without_the_fence_the_same_zombie_doubles_what_it_writes_and_is_found_out()
    {
        FencelessDatabase? open = null;
        await using var world = await ClusterWorld.StartAsync(2, (host, direct) => host == 0 ? (open = new FencelessDatabase(direct)).ConnectionString : direct, ShortLife);
        world.Also(open!);

        var played = await PlayAsync(world);

        Assert.True(open!.IsCutOutOfAll, "A statement kept its fence.");
        await Eventually.HoldsAsync(() => world.HasDoubledAsync(played.Session, 1), "what the zombie wrote to stand there twice");
        await Assert.ThrowsAnyAsync<XunitException>(played.Holds);
    }

    /// <summary>Plays it, and gives its session, when it was answered on another host, and what has to hold afterwards.</summary>
    private async Task<(string Session, TimeSpan Answered, Func<Task> Holds)> PlayAsync(ClusterWorld world)
    {
        var (session, message) = await world.SessionAsync(0, "count to 300");
        var zombie = (await world.Journal.IdsAsync(world.Hosts[0].Url))[^1];
        var box = await world.BoxAsync(session, [1], holdBefore: 100);
        var (beside, elsewhere) = (world.Watch(session, 0, 1), world.Watch(session, 1));
        await Task.WhenAll(beside.UntilSaidAsync(message, 99), elsewhere.UntilSaidAsync(message, 99));

        // It stops with an append under way that it will want to make again: its row is held meanwhile.
        await using var held = await world.Journal.HoldAsync(session);
        box.Release(holdBefore: 110);
        await Eventually.HoldsAsync(() => world.Journal.SomebodyWaitsAsync(held), "the owner's append to wait");
        await world.Hosts[0].SuspendAsync();
        var began = Stopwatch.GetTimestamp();
        var asked = world.ClientOf(1).PromptAsync(session, "count to 50", CancellationToken.None);
        await Eventually.HoldsAsync(() => world.Journal.IsDeadAsync(zombie), "a peer to bury the owner");
        await held.DisposeAsync();
        var next = (await Eventually.ComesAsync(asked, "an answer for who asked of the hung owner")).MessageId;
        var answered = Stopwatch.GetElapsedTime(began);
        output.WriteLine($"What was asked of the hung owner was answered after {answered.TotalSeconds:0.0} s.");
        box.Release(holdBefore: 200);
        await elsewhere.UntilSaidAsync(message, 199);

        await world.Hosts[0].ResumeAsync();
        await Eventually.HoldsAsync(async () => await world.Journal.IdsAsync(world.Hosts[0].Url) is [.., var newest] && newest != zombie && await world.Journal.IsAliveAsync(newest), "the zombie to come back under another id");
        await Eventually.HoldsAsync(async () => world.Hosts[0].Output.Contains("failed and ends", StringComparison.Ordinal) || await world.HasDoubledAsync(session, 1), "the zombie to have tried what it was about to write");

        return (session, answered, async () =>
        {
            box.Release();
            await Eventually.HoldsAsync(() => box.Problem is not null || (beside.HasEnded(next) && elsewhere.HasEnded(next)), "both turns to end");
            await world.HoldsAsync(session, 1, box, new Dictionary<string, int> { [message] = 300, [next] = 50 }, beside, elsewhere);
            Assert.Equal(1, world.Plane!.Made);
        });
    }
}
