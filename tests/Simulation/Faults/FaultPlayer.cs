using Coordinator.Tests.Simulation.Clients;
using Coordinator.Tests.Simulation.Hosts;
using Coordinator.Tests.Simulation.World;

namespace Coordinator.Tests.Simulation.Faults;

/// <summary>Plays what the plan says, and at last makes everything whole again.</summary>
internal sealed class FaultPlayer(SimWorld world)
{
    private static readonly TimeSpan Unheard = TimeSpan.FromSeconds(8);

    private readonly BoxFaults boxes = new(world);

    /// <summary>When nothing is due for this long, the next happening comes early.</summary>
    public TimeSpan Patience { get; } = new Dice(world.Plan.Seed, Streams.Plan, 1).Pick([TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(15), TimeSpan.FromMinutes(3)]);

    public void Play(Happening h)
    {
        if (h.Kind < HappeningKind.CrashHost) PlayClient(h);
        else if (h.Kind < HappeningKind.JournalDown) PlayHost(h);
        else if (h.Kind < HappeningKind.CreateAnswerLost) PlayDatabase(h);
        else if (h.Kind < HappeningKind.BreakLink) PlayProvider(h);
        else boxes.Play(h);
    }

    public void Heal()
    {
        world.Database.Heal();
        world.History.Heal();
        world.Alarms.Heal();
        world.Network.PublishedToLose = 0;
        world.Network.PublishedToRepeat = 0;
        world.Provider.Faults.Clear();
        world.Faults.Clear();
        foreach (var host in world.Hosts) host.Heal();
        boxes.Heal();
    }

    private void PlayClient(Happening h)
    {
        var client = world.Clients[h.A % world.Clients.Count];
        switch (h.Kind)
        {
            case HappeningKind.Prompt:
                client.Prompt(h.B);
                break;
            case HappeningKind.PromptAgain:
                client.PromptAgain(h.B);
                break;
            case HappeningKind.PromptOtherBody:
                client.PromptOtherBody(h.B);
                break;
            case HappeningKind.Cancel:
                client.Cancel(h.B);
                break;
            case HappeningKind.Move:
                client.Move(h.B, h.B >> 8);
                break;
            case HappeningKind.Edit:
                client.Edit(h.B);
                break;
            case HappeningKind.Answer:
                foreach (var other in world.Clients)
                    if (other == client || (other.Session == client.Session && h.B % 2 == 0)) other.Answer(h.B);
                break;
            default:
                PlayVisit(h, client);
                break;
        }
    }

    private static void PlayVisit(Happening h, SimClient client)
    {
        switch (h.Kind)
        {
            case HappeningKind.Reconnect:
                client.Reconnect();
                break;
            case HappeningKind.FollowAnew:
                client.FollowAnew();
                break;
            case HappeningKind.Rename:
                client.Rename(h.B);
                break;
            case HappeningKind.Archive:
                client.Archive();
                break;
            case HappeningKind.Usage:
                client.Usage(h.B);
                break;
        }
    }

    private void PlayHost(Happening h)
    {
        var host = world.Hosts[h.A % world.Hosts.Count];
        var session = h.B % world.Plan.Sessions;
        var span = TimeSpan.FromMilliseconds(50L << (h.B % 12));
        switch (h.Kind)
        {
            case HappeningKind.CrashHost:
                host.Crash();
                world.After(span, host.Start);
                break;
            case HappeningKind.CrashInAppend:
                world.Faults.Add(AppendFault.HostDies);
                break;
            case HappeningKind.DrainHost when host.IsUp:
                host.Drain();
                break;
            case HappeningKind.FreezeHost:
                if (host.FrozenUntil < world.Now + span) host.FrozenUntil = world.Now + span;
                break;
            case HappeningKind.JumpClock:
                host.ClockOffset += TimeSpan.FromSeconds((h.B % 121) - 60);
                break;
            case HappeningKind.StealSession when host.IsUp && host.Active(session) is null:
                host.After(TimeSpan.Zero, () => host.Activate(session, create: false, (_, _) => { }));
                break;
            default:
                PlayBetween(h, host, span);
                break;
        }
    }

    private void PlayBetween(Happening h, SimHost host, TimeSpan span)
    {
        switch (h.Kind)
        {
            case HappeningKind.CutHostFromDatabase:
                CutFromDatabase(host, span, CutOf(h));
                break;
            case HappeningKind.CutHostFromProvider:
                host.ToProvider.Cut(span, CutOf(h));
                break;
            case HappeningKind.CutHostFromBox:
                foreach (var box in world.Provider.Running.ToArray())
                    if (h.B % 3 == 0 || box.Number % 2 == h.B % 2) world.Network.Cut(host, box, span, CutOf(h));
                break;
            case HappeningKind.WakeTwice:
                world.Alarms.Ring(h.B % world.Plan.Sessions);
                world.Alarms.Ring(h.B % world.Plan.Sessions);
                break;
            case HappeningKind.LateAlarms:
                world.Alarms.LateUntil = world.Now + span;
                break;
            case HappeningKind.LosePublished:
                world.Network.PublishedToLose += 1 + (h.B % 5);
                break;
            case HappeningKind.RepeatPublished:
                world.Network.PublishedToRepeat += 1 + (h.B % 5);
                break;
        }
    }

    private static CutKind CutOf(Happening h) => (CutKind)((h.B >> 8) % 3);

    /// <summary>A member of a cluster that nobody hears for half of its time to live gives itself up; a host that is alone does not.</summary>
    private void CutFromDatabase(SimHost host, TimeSpan span, CutKind kind)
    {
        host.ToDatabase.Cut(span, kind);
        if (world.Hosts.Count == 1 || span < Unheard) return;
        host.After(Unheard, () =>
        {
            if (host.ToDatabase.IsWhole) world.Nothing();
            else host.LoseRegistration();
        });
    }

    private void PlayDatabase(Happening h)
    {
        var span = TimeSpan.FromMilliseconds(50L << (h.B % 11));
        switch (h.Kind)
        {
            case HappeningKind.JournalDown:
                world.Database.DownUntil = world.Now + span;
                break;
            case HappeningKind.CrashDatabase:
                world.Database.Crash();
                world.Database.DownUntil = world.Now + span;
                break;
            case HappeningKind.AppendAnswerLost:
                world.Faults.Add(AppendFault.AnswerLost);
                break;
            case HappeningKind.AppendLate:
                world.Faults.Add(AppendFault.Late);
                break;
            case HappeningKind.HistoryDown:
                world.History.DownUntil = world.Now + (span * 4);
                break;
            case HappeningKind.HistoryAnswerLost:
                world.History.AnswersToLose++;
                break;
            case HappeningKind.KeepDatabase:
                world.Database.KeepCopy();
                break;
            case HappeningKind.RestoreDatabase:
                RestoreDatabase();
                break;
        }
    }

    /// <summary>The database is restored while no host runs: a lease of the lost future must not meet an epoch that comes again.</summary>
    private void RestoreDatabase()
    {
        if (!world.Database.HasCopy)
        {
            world.Database.KeepCopy();
            return;
        }

        foreach (var host in world.Hosts) host.Crash();
        world.Database.Restore();
        world.Audit.Restored();
        foreach (var host in world.Hosts) world.After(TimeSpan.FromSeconds(2), host.Start);
        for (var i = 0; i < world.Plan.Sessions; i++) world.Alarms.Expect(i);
    }

    private void PlayProvider(Happening h)
    {
        var faults = world.Provider.Faults;
        switch (h.Kind)
        {
            case HappeningKind.CreateAnswerLost:
                faults.CreateAnswersLost++;
                break;
            case HappeningKind.CreateUnavailable:
                faults.CreatesUnavailable += 1 + (h.B % 8);
                break;
            case HappeningKind.CreateRefused:
                faults.CreatesRefused++;
                break;
            case HappeningKind.CreateSlow:
                faults.CreatesSlow++;
                break;
            case HappeningKind.BoxNeverDials:
                faults.NeverDial++;
                break;
            case HappeningKind.DestroyRefused:
                faults.DestroysRefused += 1 + (h.B % 6);
                break;
            case HappeningKind.DestroyAnswerLost:
                faults.DestroyAnswersLost++;
                break;
            case HappeningKind.DestroyLies:
                faults.DestroysLied++;
                break;
            case HappeningKind.InspectUnreachable:
                faults.InspectsUnreachable += 1 + (h.B % 20);
                break;
            case HappeningKind.ListIncomplete:
                faults.ListsIncomplete += 1 + (h.B % 3);
                break;
        }
    }
}
