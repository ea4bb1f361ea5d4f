using Coordinator.Ports;
using Coordinator.Ports.Record;
using Coordinator.Ports.Session;
using Coordinator.Tests.WalkingSkeleton.World;
using Xunit;

namespace Coordinator.Tests.Faults;

/// <summary>The play of one fault and everything that must hold after any.</summary>
internal static class Disruption
{
    /// <summary>Every secret of every play has this in it.</summary>
    private const string Canary = "canary";

    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    /// <summary>Walks a session through the fault, and on to its archive.</summary>
    public static async Task PlayAsync(Skeleton world, Fault fault)
    {
        var seen = await new FaultPlayer(world, fault).PlayAsync();
        if (!fault.OrSees.Contains(seen)) Assert.Equal(fault.Sees, seen);

        Assert.Empty(UnmetFaults.Of(world));
        fault.Mend(world);
        world.Skew = TimeSpan.Zero;
        if (fault.When != FaultMoment.Archiving)
        {
            Assert.Equal("completed", await AfterwardsAsync(world));
            await world.ArchiveAsync();
        }

        await world.UntilAsync("no box left", () => world.Provider.Running.Count == 0 && world.LivingBoxes == 0, Longest);
        await HoldsAsync(world);
        if (fault.Holds is { } holds) await holds(world);
    }

    /// <summary>Ends the world's host: no secret was told to anybody, and nothing of the world waits for anything any more.</summary>
    public static async Task LeavesNothingAsync(Skeleton world)
    {
        await world.StopHostAsync();
        string[] secrets = [Canary, $"{BoxToken.Prefix}{world.Key.Organization}"];
        Assert.All(secrets, secret => Assert.DoesNotContain(secret, world.Log.Text, StringComparison.Ordinal));
        Assert.All(secrets, secret => Assert.DoesNotContain(world.Watch.Seen, happened => happened.Data.GetRawText().Contains(secret, StringComparison.Ordinal)));
        Assert.Equal(0, world.LivingBoxes);
        Assert.Equal(0, world.Time.PendingTimers);
    }

    private static async Task<string> AfterwardsAsync(Skeleton world)
    {
        var message = await world.PromptAsync("@say Still here.");
        await world.UntilEndedAsync(message, Longest);
        Assert.Equal("Still here.", world.TextOf(message));
        return world.OutcomeOf(message);
    }

    private static async Task HoldsAsync(Skeleton world)
    {
        var seen = world.Watch.Seen;
        Assert.Equal(Enumerable.Range(1, seen.Count).Select(seq => (long)seq), seen.Select(happened => happened.Seq));
        var queued = seen.Where(happened => happened.Type == "message.queued").Select(happened => happened.Message!).ToList();
        Assert.Equal(queued.Distinct(), queued);
        Assert.All(queued, message => Assert.Single(world.EndsOf(Parse(message))));
        Assert.All(world.Agents.Prompts.GroupBy(prompt => prompt.Text), told => Assert.True(told.Count() <= seen.Count(happened => happened.Type == "message.queued" && happened.Text("text") == told.Key), $"'{told.Key}' was run twice"));

        var dispatched = seen.Where(happened => happened.Type == "message.dispatched").Select(happened => happened.Message!).Distinct().ToList();
        await world.UntilAsync("every run is in the history", () => world.Types.Count(type => type == "run.flushed") >= dispatched.Count, Longest);
        var runs = await world.RunsAsync();
        Assert.Equal(dispatched.Order(), runs.Select(stored => stored.Run.Message.ToString()).Order());
        Assert.Null(await world.Port<IRunHistory>().VerifyChainAsync(world.Key.Organization, world.Key.Session, default));
    }

    private static MessageId Parse(string text) => MessageId.TryParse(text, out var id) ? id : throw new FormatException(text);
}
