using Coordinator.Tests.Cluster.World;
using Coordinator.Tests.Support.Hosting;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Cluster;

/// <summary>A box belongs to its machine, and its session to whichever host is asked.</summary>
public sealed class OwnBoxTests
{
    [Fact]
    public async Task A_real_box_whose_host_was_killed_goes_on_through_it_with_its_session_on_another()
    {
        await using var world = await ClusterWorld.StartWithOwnBoxesAsync(2);
        var (session, first) = await world.SessionAsync(0, "count to 5");
        var client = world.Watch(session, 1);
        await client.UntilEndedAsync(first);

        await world.Hosts[0].KillAsync();
        var view = await world.ClientOf(1).GetSessionAsync(session, CancellationToken.None);
        await world.Hosts[0].StartAsync();
        var second = (await world.ClientOf(0).PromptAsync(session, "count to 7", CancellationToken.None)).MessageId;
        await client.UntilEndedAsync(second);

        Assert.NotEqual("lost", view.Sandbox.Status);
        Assert.Null(client.Problem);
        Assert.Empty(await world.Journal.FlawsAsync(session));
        Assert.All([first, second], message => Assert.Single(client.Log, e => e.MessageId == message && e.Type == "message.completed"));
        Assert.Single(client.Log, e => e.Type == "sandbox.requested");
        await world.ClientOf(0).ArchiveAsync(session, CancellationToken.None);
        await Eventually.HoldsAsync(() => LiveProcess.Naming(session).Count == 0, "the box to be gone");
    }
}
