using Coordinator.Tests.Simulation.Box;
using Coordinator.Tests.Simulation.Hosts;
using Coordinator.Tests.Simulation.World;

namespace Coordinator.Tests.Simulation.Invariants;

/// <summary>
/// What must have ended by now. Time counts while it is fair: since when the database has answered and some one host has
/// run, thawed and reaching it (and, where boxes are to end, the provider). Each outage of all that begins the count anew, and
/// so does the provider for a box that it refuses to end, says it ended, or leaves out of a list. Nothing else is excused:
/// crashes, cuts and freezes of the other hosts, boxes, agents and links are what the bounds are for.
/// </summary>
internal sealed class BoundWatch(SimWorld world)
{
    /// <summary>What docs/sandboxes.md promises.</summary>
    private static readonly TimeSpan NobodysBox = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan Every = TimeSpan.FromSeconds(20);

    /// <summary>To be woken, by a clock that hides what it handed out for half a minute, with a host that dies on the way.</summary>
    private static readonly TimeSpan Awake = TimeSpan.FromMinutes(5);

    /// <summary>The longest wait between two tries to write a run, its timeout, and the same once more.</summary>
    private static readonly TimeSpan Flush = TimeSpan.FromMinutes(15);

    private readonly Dictionary<SimBox, TimeSpan> unwanted = [];
    private TimeSpan next;

    public void Look()
    {
        if (world.Now < next) return;
        next = world.Now + Every;
        LookAtBoxes();
        if (FairSince(host => host.WellSince) is { } fair) LookAtSessions(fair > world.Alarms.LateUntil ? fair : world.Alarms.LateUntil);
    }

    private void LookAtBoxes()
    {
        var fair = FairSince(host => host.WellSince > host.ToProvider.WholeSince ? host.WellSince : host.ToProvider.WholeSince);
        foreach (var box in world.Provider.Boxes)
        {
            if (!box.IsRunning || world.Audit.Of(box.Session).Wants(box.Generation)) unwanted.Remove(box);
            else if (unwanted.TryAdd(box, world.Now) || fair is not { } since) continue;
            else Demand(Invariant.NoBoxIsLeft, Latest(since, unwanted[box], box.FoiledAt), NobodysBox, $"{box} runs and no session wants it");
        }
    }

    private void LookAtSessions(TimeSpan fair)
    {
        for (var i = 0; i < world.Plan.Sessions; i++)
        {
            var audit = world.Audit.Of(i);
            foreach (var message in audit.Messages)
            {
                if (message.Outcome is null) Demand(Invariant.EverythingEnds, Latest(fair, message.At), FinalAudit.Bound(world, audit.Messages.Count(m => m.Outcome is null || m.EndedAt > message.At)), $"session {i}: {message.Id} has not ended");
                else if (message.Dispatched && !world.Database.Row(i).Runs.Exists(run => run.Message == message.Id)) Demand(Invariant.OneRunPerMessage, Latest(fair, message.EndedAt, world.History.TroubleAt), Flush, $"session {i}: {message.Id} has no run in the history");
            }

            foreach (var question in audit.Questions)
                if (question.Decision is null) Demand(Invariant.AnsweredOnce, Latest(fair, question.At), Answer, $"session {i}: {question.Id} is not answered");
        }
    }

    /// <summary>The time to answer, and what an open question is given each time when this side comes back.</summary>
    private TimeSpan Answer
    {
        get
        {
            var limits = world.Plan.Limits;
            var returned = limits.PermissionReturn < limits.PermissionAnswer ? limits.PermissionReturn : limits.PermissionAnswer;
            return limits.PermissionAnswer + (limits.Graces * returned) + Awake;
        }
    }

    private void Demand(string invariant, TimeSpan since, TimeSpan bound, string what)
    {
        // Hosts whose clocks differ wait by each other's times.
        var allowed = bound + world.Hosts.Max(host => host.ClockOffset) - world.Hosts.Min(host => host.ClockOffset);
        var slowest = world.Hosts.Min(host => host.ClockOffset);
        if (slowest < TimeSpan.Zero) allowed -= slowest;
        if (world.Now - since > allowed) throw new InvariantBrokenException(invariant, $"{what}, {(world.Now - since).TotalMinutes:0.0} minutes after it should have begun to end; {allowed.TotalMinutes:0.0} are allowed");
    }

    /// <summary>Since when there has been one host that was well all the time; null: there is none now.</summary>
    private TimeSpan? FairSince(Func<SimHost, TimeSpan> since)
    {
        if (world.Database.IsDown) return null;
        TimeSpan? longest = null;
        foreach (var host in world.Hosts)
            if (host.IsUp && since(host) is var at && at <= world.Now && !(longest < at)) longest = at;
        return longest is { } well ? Latest(well, world.Database.DownUntil) : null;
    }

    private static TimeSpan Latest(TimeSpan one, TimeSpan other, TimeSpan third = default)
    {
        var later = one > other ? one : other;
        return later > third ? later : third;
    }
}
