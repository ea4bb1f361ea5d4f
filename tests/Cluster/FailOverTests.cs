using System.Diagnostics;
using System.Globalization;
using Coordinator.Tests.Cluster.World;
using Coordinator.Tests.Support;
using Coordinator.Tests.Support.Following;
using Xunit;
using Xunit.Abstractions;

namespace Coordinator.Tests.Cluster;

/// <summary>The database's server dies for good under hosts, people and boxes, and the one that followed it is promoted.</summary>
public sealed class FailOverTests(ITestOutputHelper output)
{
    private const int Sessions = 4;
    private const string Lost = "(lost)";

    /// <summary>For what takes some seconds, on a machine that is busy.</summary>
    private static readonly TimeSpan Enough = TimeSpan.FromSeconds(40);

    [Fact]
    public async Task After_a_fail_over_in_the_middle_of_turns_everybody_loads_anew_and_every_turn_is_told_once_and_whole()
    {
        var pair = await FailOverPair.StartAsync();
        await using var world = await ClusterWorld.StartOnAsync(pair, 2);
        var sessions = await Task.WhenAll(Enumerable.Range(0, Sessions).Select(number => FollowedSession.BeginAsync(world, number % 2, "count to 800", holdBefore: 600, mayRenew: false)));
        var queued = await Task.WhenAll(sessions.Select(session => session.PromptAsync(world, "count to 20")));
        await Task.WhenAll(sessions.Select(session => session.UntilSaidAsync(50)));

        await pair.KillFirstAsync();
        var asking = Task.WhenAll(sessions.Select(session => session.PromptAsync(world, "count to 30")));
        var began = Stopwatch.GetTimestamp();
        await world.PromoteSecondAsync();
        var asked = await Eventually.ComesAsync(asking, "an answer for who asked while there was no database");
        await Task.WhenAll(sessions.Select(session => session.UntilSaidAsync(599)));
        var answered = Stopwatch.GetElapsedTime(began);
        output.WriteLine($"All of {Sessions} sessions took a prompt, and went on with their turns, {answered.TotalSeconds:0.0} s after the promotion was asked for.");
        await Task.WhenAll(sessions.Select(session => session.UntilToldAsync()));
        foreach (var session in sessions) session.Box.Release();
        await Task.WhenAll(sessions.Zip(asked, static (session, message) => session.UntilEndedAsync(message)));

        Assert.InRange(answered, TimeSpan.Zero, Enough);
        foreach (var (session, second, third) in sessions.Zip(queued, asked))
        {
            // The standby had confirmed every commit: nothing that anybody was shown is missing, and nothing that a box was acknowledged.
            await world.HoldsAsync(session.Id, session.Host, session.Box, new Dictionary<string, int> { [session.Message] = 800, [second] = 20, [third] = 30 }, session.Clients);
            Assert.All(session.Clients, client => Assert.All(client.Forgotten, before => Assert.Equal(before.Log, client.Log.Take(before.Log.Count))));
            Assert.DoesNotContain(session.Clients[0].Log, e => e.Type is "events.lost" or "message.failed" or "message.cancelled");
            await session.IsRefusedWhatIsGoneAsync(world);
        }

        Assert.Equal(Sessions, world.Plane!.Made);
    }

    [Fact]
    public async Task After_a_fail_over_that_lost_what_was_shown_everybody_loads_anew_and_what_boxes_cannot_say_again_is_said_to_be_lost()
    {
        var pair = await FailOverPair.StartAsync(isConfirmed: false);
        await using var world = await ClusterWorld.StartOnAsync(pair, 2);
        FollowedSession[] kept = [await BeginAsync(world, 0, "count to 300"), await BeginAsync(world, 1, "count to 200"), await BeginAsync(world, 0, "count to 10")];
        var (half, ended, idle) = (kept[0], kept[1], kept[2]);
        await Task.WhenAll(half.UntilSaidAsync(99), ended.UntilSaidAsync(99), idle.UntilEndedAsync(idle.Message));
        await Task.WhenAll(kept.Select(session => session.UntilAcknowledgedAsync()));
        await pair.PartAsync();

        // What the second server will lack: the middle of a turn, the end of one, all of one, a prompt that waits, a session.
        half.Box.Release(holdBefore: 200);
        ended.Box.Release();
        var waiting = await half.PromptAsync(world, "count to 5");
        var unheardOf = await idle.PromptAsync(world, "count to 400");
        var lost = await BeginAsync(world, 1, "count to 300");
        await Task.WhenAll(half.UntilSaidAsync(199), ended.UntilEndedAsync(ended.Message), idle.UntilSaidAsync(99, unheardOf), lost.UntilSaidAsync(99));
        await Task.WhenAll(kept.Select(session => session.UntilAcknowledgedAsync()));

        await pair.KillFirstAsync();
        await world.PromoteSecondAsync();
        await Task.WhenAll(kept.Select(session => session.UntilToldAsync()));
        await Eventually.HoldsAsync(() => lost.Box.Problem is not null && lost.Clients.All(client => client.Problem is not null), "those of the session that is gone to be told");
        half.Box.Release();
        var next = await idle.PromptAsync(world, "count to 10");
        await Task.WhenAll(half.UntilEndedAsync(half.Message), ended.UntilEndedAsync(ended.Message), idle.UntilEndedAsync(next));

        await IsToldWithLossAsync(world, half, half.Message, [.. Numbers(0, 100), Lost, .. Numbers(200, 100)]);
        await IsToldWithLossAsync(world, ended, ended.Message, [.. Numbers(0, 100), Lost]);
        await IsToldWithLossAsync(world, idle, next, [Lost, .. Numbers(0, 10)]);
        Assert.DoesNotContain(kept.SelectMany(session => session.Clients[0].Log), e => e.MessageId == waiting || e.MessageId == unheardOf);
        Assert.False(half.Box.Runs.ContainsKey(waiting));
        Assert.All(lost.Clients, client => Assert.EndsWith("with 4404.", client.Problem, StringComparison.Ordinal));
        Assert.EndsWith("with 401.", lost.Box.Problem, StringComparison.Ordinal);
    }

    private static Task<FollowedSession> BeginAsync(ClusterWorld world, int host, string prompt) => FollowedSession.BeginAsync(world, host, prompt, holdBefore: 100, mayRenew: true);

    private static IEnumerable<string> Numbers(int from, int count) => Enumerable.Range(from, count).Select(number => string.Create(CultureInfo.InvariantCulture, $"{number} "));

    /// <summary>The turn of a message as it is there now, with the place where it says that something is lost; it was run once and ended once.</summary>
    private static async Task IsToldWithLossAsync(ClusterWorld world, FollowedSession session, string message, string[] told)
    {
        var log = await world.ShowsJournalAsync(session.Id, session.Host, session.Box, session.Clients);
        Assert.Equal(told, log.Where(e => e.Type == "events.lost" || (e.Type == "agent.text" && e.MessageId == message)).Select(e => e.Type == "events.lost" ? Lost : ClusterWorld.WordsOf(e)));
        Assert.All(log.Where(e => e.Type == "message.queued"), asked => Assert.Equal("message.completed", Assert.Single(log, e => e.IsEnd && e.MessageId == asked.MessageId).Type));
        Assert.All(session.Box.Runs, run => Assert.Equal(1, run.Value));
        Assert.Equal(1, session.Box.Renewals);
        Assert.All(session.Clients, client => Assert.NotEqual(client.Forgotten.First().Log, client.Log.Take(client.Forgotten.First().Log.Count))); // it had seen what is gone
        await session.IsRefusedWhatIsGoneAsync(world);
    }
}
