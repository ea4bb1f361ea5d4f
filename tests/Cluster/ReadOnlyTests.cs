using Coordinator.Client;
using Coordinator.Tests.Cluster.World;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Cluster;

/// <summary>The database takes no writes for a while, under hosts, people and boxes: none of them can stay a host.</summary>
public sealed class ReadOnlyTests
{
    private const int ComeAgain = 1012;

    [Fact]
    public async Task Hosts_of_a_read_only_database_are_read_and_refuse_what_writes_and_once_it_is_writable_every_turn_is_told_once_and_whole()
    {
        await using var world = await ClusterWorld.StartAsync(2);
        var sessions = await Task.WhenAll(Enumerable.Range(0, 2).Select(host => FollowedSession.BeginAsync(world, host, "count to 300", holdBefore: 100, mayRenew: false)));
        await Task.WhenAll(sessions.Select(session => session.UntilSaidAsync(99)));
        await Task.WhenAll(sessions.Select(session => session.UntilAcknowledgedAsync()));
        var shown = sessions.Select(session => session.Clients[0].Log).ToList();

        await world.TakeWritesAsync(false);
        var asking = Task.WhenAll(sessions.Select(session => session.PromptAsync(world, "count to 20")));
        foreach (var host in world.Hosts) await SaysWhyAsync(host.Url);
        foreach (var session in sessions) await IsReadAndRefusesAsync(world, session);
        foreach (var (session, before) in sessions.Zip(shown))
        foreach (var host in new[] { 0, 1 })
            Assert.Equal(before, await world.JournalOfAsync(session.Id, host));
        Assert.All(sessions.SelectMany(session => session.Clients), client => Assert.Contains(client.Closes, close => close.Code == ComeAgain));
        Assert.False(asking.IsCompleted, "A prompt was taken that cannot have been kept.");

        await world.TakeWritesAsync(true);
        var asked = await Eventually.ComesAsync(asking, "an answer for who asked meanwhile");
        foreach (var session in sessions) session.Box.Release();
        await Task.WhenAll(sessions.Zip(asked, static (session, message) => session.UntilEndedAsync(message)));
        foreach (var (session, message) in sessions.Zip(asked))
            await world.HoldsAsync(session.Id, session.Host, session.Box, new Dictionary<string, int> { [session.Message] = 300, [message] = 20 }, session.Clients);
    }

    private static async Task SaysWhyAsync(Uri host)
    {
        using var client = new CoordinatorClient(host);
        var (status, body) = (0, string.Empty);
        await Eventually.HoldsAsync(
            async () => ((status, body) = await client.ReadinessAsync(CancellationToken.None)) is { Item1: 503 } && body.Contains("The database is read-only", StringComparison.Ordinal),
            "readiness that says why",
            () => $"{status} {body}");
    }

    /// <summary>What is asked once, at the host that had the session and at the other.</summary>
    private static async Task IsReadAndRefusesAsync(ClusterWorld world, FollowedSession session)
    {
        foreach (var host in world.Hosts)
        {
            using var once = new CoordinatorClient(host.Url, world.ApiKey) { Patience = TimeSpan.Zero };
            Assert.Equal(session.Id, (await once.GetSessionAsync(session.Id, CancellationToken.None)).Id);
            var refused = await Assert.ThrowsAsync<CoordinatorException>(() => once.PromptAsync(session.Id, "count to 7", CancellationToken.None));
            Assert.Equal((503, "dependency_unavailable", true), (refused.Status, refused.Code, refused.RetryAfter > TimeSpan.Zero));
        }
    }
}
