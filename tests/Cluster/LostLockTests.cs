using Coordinator.Tests.Cluster.World;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Cluster;

/// <summary>The connection that makes a process a host is gone, and the process is well.</summary>
public sealed class LostLockTests
{
    [Fact]
    public async Task A_host_that_loses_its_lock_stops_its_actors_and_comes_back_under_a_new_id()
    {
        await using var world = await ClusterWorld.StartAsync(2);
        var (session, message) = await world.SessionAsync(0, "count to 300");
        var box = await world.BoxAsync(session, [0, 1], holdBefore: 100);
        var client = world.Watch(session, 0, 1);
        await client.UntilSaidAsync(message, 99);
        var before = (await world.Journal.IdsAsync(world.Hosts[0].Url))[^1];

        await world.Journal.CutLockAsync(before);
        await Eventually.HoldsAsync(async () => await world.Journal.IdsAsync(world.Hosts[0].Url) is [.., var newest] && newest != before && await world.Journal.IsAliveAsync(newest), "the host to come back under a new id");
        box.Release();
        await client.UntilEndedAsync(message);

        Assert.False(await world.Journal.IsAliveAsync(before));
        Assert.Contains("is no host any more: its 1 sessions are stopped", world.Hosts[0].Output, StringComparison.Ordinal);
        Assert.NotEmpty(client.Closes);
        await world.HoldsAsync(session, 1, box, new Dictionary<string, int> { [message] = 300 }, client);
    }
}
