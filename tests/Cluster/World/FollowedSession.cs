using System.Globalization;
using Coordinator.Client;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Following;
using Xunit;

namespace Coordinator.Tests.Cluster.World;

/// <summary>A session of one of two hosts: its first message, a box that dials the other host first, and somebody who follows it at each.</summary>
internal sealed record FollowedSession(string Id, int Host, string Message, ScriptedBox Box, WatchingClient[] Clients)
{
    /// <param name="holdBefore">Its turns stop before they say this number.</param>
    /// <param name="mayRenew">Hosts may lack what its box had acknowledged.</param>
    public static async Task<FollowedSession> BeginAsync(ClusterWorld world, int host, string prompt, int holdBefore, bool mayRenew)
    {
        var (id, message) = await world.SessionAsync(host, prompt);
        var box = await world.BoxAsync(id, [1 - host, host], holdBefore, mayRenew);
        return new(id, host, message, box, [world.Watch(id, 0, 1), world.Watch(id, 1, 0)]);
    }

    /// <summary>Asks at the host that has not begun the session, and gives the message.</summary>
    public async Task<string> PromptAsync(ClusterWorld world, string text) => (await world.ClientOf(1 - Host).PromptAsync(Id, text, CancellationToken.None)).MessageId;

    /// <summary>Waits until everybody was shown a turn as far as this number, the first message's if none is named.</summary>
    public Task UntilSaidAsync(int number, string? message = null) => UnlessTheBoxFailsAsync(Clients.Select(client => client.UntilSaidAsync(message ?? Message, number)));

    public Task UntilEndedAsync(string message) => UnlessTheBoxFailsAsync(Clients.Select(client => client.UntilEndedAsync(message)));

    /// <summary>Waits until all that its box has said was acknowledged.</summary>
    public Task UntilAcknowledgedAsync() => Eventually.HoldsAsync(() => Box.IsAcknowledged, "the box to have everything acknowledged");

    /// <summary>Waits until everybody who follows it, and its box, was told of another incarnation than the first.</summary>
    public Task UntilToldAsync() => Eventually.HoldsAsync(
        () => Box.Problem is not null || Clients.Any(client => client.Problem is not null) || (Box.Incarnation > 1 && Clients.All(client => client.Incarnation == Box.Incarnation)),
        "everybody to be told of another incarnation",
        () => $"The box is in {Box.Incarnation}, its clients are in {string.Join(", ", Clients.Select(client => client.Incarnation?.ToString(CultureInfo.InvariantCulture) ?? "none"))}.");

    /// <summary>A place in what may be gone is refused wherever it is shown.</summary>
    public async Task IsRefusedWhatIsGoneAsync(ClusterWorld world)
    {
        foreach (var host in new[] { 0, 1 })
        foreach (var before in Clients.SelectMany(client => client.Forgotten))
        {
            var told = await Assert.ThrowsAsync<CoordinatorException>(() => world.ClientOf(host).ListEventsAsync(Id, before.Cursor, 10, CancellationToken.None));
            Assert.Equal((410, "cursor_invalid"), (told.Status, told.Code));
        }
    }

    private async Task UnlessTheBoxFailsAsync(IEnumerable<Task> shown)
    {
        var waiting = Task.WhenAll(shown);
        await Eventually.HoldsAsync(() => waiting.IsCompleted || Box.Problem is not null, "what its clients wait for");
        Assert.Null(Box.Problem);
        await waiting;
    }
}
