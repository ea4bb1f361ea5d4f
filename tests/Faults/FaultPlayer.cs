using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.WalkingSkeleton.World;
using Xunit;

namespace Coordinator.Tests.Faults;

/// <summary>Brings a world to a fault's moment, lets it show, and tells what the user saw.</summary>
internal sealed class FaultPlayer(Skeleton world, Fault fault)
{
    private static readonly TimeSpan Longest = TimeSpan.FromHours(3);

    public async Task<string> PlayAsync()
    {
        switch (fault.When)
        {
            case FaultMoment.Creating:
                await fault.Show(world);
                return await CallTwiceAsync(world.CreateCommand());
            case FaultMoment.Beside:
                return await BesideAsync();
        }

        await CreateAsync();
        if (fault.When is FaultMoment.NextPrompt or FaultMoment.MidTool or FaultMoment.Archiving) Assert.Equal("completed", await world.RunAsync("@say Ready."));
        return fault.When switch
        {
            FaultMoment.Starting => await StartingAsync(),
            FaultMoment.MidTool => await MidToolAsync(),
            FaultMoment.Archiving => await ArchivingAsync(),
            _ => await PromptAsync(),
        };
    }

    private async Task<string> PromptAsync()
    {
        await fault.Show(world);
        var command = world.PromptCommand(fault.Prompt);
        var call = await CallTwiceAsync(command);
        await world.UntilEndedAsync(command.Message, Longest);
        return Joined(call, world.OutcomeOf(command.Message));
    }

    private async Task<string> StartingAsync()
    {
        world.Provider.CreateFaults.FailBefore();
        var message = await world.PromptAsync(fault.Prompt);
        await world.UntilAsync("a box that was asked for in vain", () => !world.Provider.CreateFaults.IsUnmet);
        await fault.Show(world);
        world.Provider.CreateFaults.Clear();
        await LastAsync();
        await world.UntilEndedAsync(message, Longest);
        return world.OutcomeOf(message);
    }

    /// <summary>A turn that outlives its fault is cancelled: it must hear of it.</summary>
    private async Task<string> MidToolAsync()
    {
        var message = await world.PromptAsync("@run sleep 100000");
        await world.UntilSeenAsync("tool.started");
        await fault.Show(world);
        if (fault.IsRenamedMeanwhile) await CallTwiceAsync(new SessionCommand.Rename(world.Ada, "Renamed meanwhile"));
        else await LastAsync();
        if (fault.Sees == "cancelled") await CallTwiceAsync(new SessionCommand.Cancel(world.Ada, message));
        await world.UntilEndedAsync(message, Longest);
        return world.OutcomeOf(message);
    }

    private async Task<string> ArchivingAsync()
    {
        await fault.Show(world);
        var call = await CallTwiceAsync(new SessionCommand.Archive(world.Ada));
        return Joined(call, (await world.ViewAsync()).GetProperty("status").GetString()!);
    }

    private async Task<string> BesideAsync()
    {
        var act = await fault.Beside!(world);
        await CreateAsync();
        await UntilWellAsync(act);
        await fault.Show(world);
        var seen = await LookAsync(act);
        fault.Mend(world);
        await UntilWellAsync(act);
        return seen;
    }

    /// <summary>By the same command, so that one whose answer was late makes no second session.</summary>
    private async Task CreateAsync()
    {
        var command = world.CreateCommand();
        await UntilWellAsync(async () => (await world.CallAsync(command)).Problem?.Code ?? "ok");
    }

    /// <summary>
    /// Before a fault shows and after it has passed all must be well, at once on virtual time. In real time an adapter that waits
    /// for a second only may find a busy machine too slow, which is not what is played.
    /// </summary>
    private async Task UntilWellAsync(Func<ValueTask<string>> act)
    {
        var seen = await LookAsync(act);
        for (var tries = 1; seen != "ok" && world.IsReal && tries < 10; tries++) seen = await LookAsync(act);
        Assert.Equal("ok", seen);
    }

    /// <summary>Sends a command while the fault shows and, when it is refused, once more after it.</summary>
    private async Task<string> CallTwiceAsync(SessionCommand command)
    {
        var first = Task.Run(() => SeeAsync(async () => (await world.CallAsync(command)).Problem?.Code ?? "ok").AsTask());
        await LastAsync();
        await world.UntilAsync("an answer", () => first.IsCompleted, Longest);
        var seen = await first;
        if (seen == "ok") return seen;
        fault.Mend(world);
        Assert.Equal("ok", await SeeAsync(async () => (await world.CallAsync(command)).Problem?.Code ?? "ok"));
        return seen;
    }

    private async Task LastAsync()
    {
        if (fault.LastsUntil is { } shown) await world.UntilAsync("the fault to show", shown);
        else if (fault.Lasts is { } lasts) await world.PassAsync(lasts);
        else return;
        fault.Mend(world);
    }

    private static string Joined(string call, string outcome) => call == "ok" ? outcome : $"{call}, then {outcome}";

    /// <summary>What somebody sees who does it, however long it takes.</summary>
    private async ValueTask<string> LookAsync(Func<ValueTask<string>> act)
    {
        var seeing = Task.Run(() => SeeAsync(act).AsTask());
        await world.UntilAsync("an answer", () => seeing.IsCompleted, Longest);
        return await seeing;
    }

    private static async ValueTask<string> SeeAsync(Func<ValueTask<string>> act)
    {
        try
        {
            return await act();
        }
        catch (PortException failure)
        {
            return failure.Kind.ToString();
        }
    }
}
