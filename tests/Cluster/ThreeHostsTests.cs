using Coordinator.Tests.Cluster.World;
using Xunit;

namespace Coordinator.Tests.Cluster;

/// <summary>Nobody has to be where the actor is.</summary>
public sealed class ThreeHostsTests
{
    [Fact]
    public async Task A_clients_socket_a_bridge_and_the_actor_on_three_hosts_stream_a_turn_without_a_gap()
    {
        await using var world = await ClusterWorld.StartAsync(3);
        var (session, first) = await world.SessionAsync(0, "count to 10");
        var box = await world.BoxAsync(session, [1]);
        var client = world.Watch(session, 2);

        var message = (await world.ClientOf(2).PromptAsync(session, "count to 500", CancellationToken.None)).MessageId;
        await client.UntilEndedAsync(message);

        Assert.Equal(world.Hosts[0].Url, await world.Journal.OwnerAsync(session)); // the box dials the second host alone, the client the third
        await world.HoldsAsync(session, 1, box, new Dictionary<string, int> { [first] = 10, [message] = 500 }, client);
    }
}
