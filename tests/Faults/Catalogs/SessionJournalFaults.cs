using Coordinator.Adapters.InProcess;
using Coordinator.Fakes;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.WalkingSkeleton.World;
using Xunit;

namespace Coordinator.Tests.Faults.Catalogs;

public sealed partial class SessionJournalFaults : FaultCatalog<ISessionJournal>
{
    private const string ReadOnly = "It takes no writes for a while: the caller is told, and later it goes on";
    private const string NoConnection = "It gives no connection for a while: the caller is told, and later it goes on";
    private const string Killed = "It is killed in the middle of a tool call and comes back: the box goes on";

    public override IReadOnlyList<Fault> Faults =>
    [
        new("It is down for a moment: the prompt is late and not lost", FaultMoment.NextPrompt)
        {
            Is = GeneralFault.Unavailable,
            Show = Fault.By(world => world.Journal.Faults.FailBefore()),
            Mend = world => world.Journal.Faults.Clear(),
            Lasts = TimeSpan.FromSeconds(5),
            Sees = "completed",
        },
        new("It is down for longer than a host waits: the caller is told, and nothing was queued", FaultMoment.NextPrompt)
        {
            Is = GeneralFault.Unavailable,
            Show = Fault.By(world => world.Journal.Faults.FailBefore()),
            Mend = world => world.Journal.Faults.Clear(),
            Sees = "Unavailable, then completed",
        },
        new("It is down when a session is created", FaultMoment.Creating)
        {
            Is = GeneralFault.Unavailable,
            Show = Fault.By(world => world.Journal.Faults.FailBefore(PortFailureKind.Unavailable)),
            Mend = world => world.Journal.Faults.Clear(),
            Sees = "Unavailable",
        },
        new("The answer of a commit is lost: the prompt that is sent again with its key is not a second one", FaultMoment.NextPrompt)
        {
            Is = GeneralFault.LostAnswer,
            Show = Fault.By(world => world.Journal.Faults.LoseResponses()),
            Mend = world => world.Journal.Faults.Clear(),
            Sees = "Timeout, then completed",
        },
        new("A second writer takes the session: the first is fenced off and its caller is told", FaultMoment.NextPrompt)
        {
            Show = Fault.By(world => world.Store.Fence(world.Key)),
            Sees = "Fenced, then completed",
        },
        new("A second writer takes the session in the middle of a tool call: the box goes on", FaultMoment.MidTool)
        {
            Show = Fault.By(world => world.Store.Fence(world.Key)),
            Lasts = TimeSpan.FromMinutes(2),
            Sees = "cancelled",
            Holds = world =>
            {
                Assert.True(world.Dials > 1, "The host went on writing.");
                Assert.DoesNotContain("sandbox.lost", world.Types);
                return ValueTask.CompletedTask;
            },
        },
        new("It is down in the middle of a tool call: the box goes on", FaultMoment.MidTool)
        {
            Is = GeneralFault.Unavailable,
            Show = Fault.By(world => world.Journal.Faults.FailBefore()),
            Mend = world => world.Journal.Faults.Clear(),
            Lasts = TimeSpan.FromMinutes(3),
            IsRenamedMeanwhile = true,
            Sees = "cancelled",
        },
        new("It refuses what is to be written: the caller is told", FaultMoment.NextPrompt)
        {
            Show = Fault.By(world => world.Journal.Rejects = _ => true),
            Mend = world => world.Journal.Rejects = _ => false,
            Sees = "Rejected, then completed",
        },
        new("It is slow", FaultMoment.NextPrompt)
        {
            Is = GeneralFault.Slow,
            Show = Fault.By(world => world.Journal.SlowBy = TimeSpan.FromSeconds(2)),
            Mend = world => world.Journal.SlowBy = TimeSpan.Zero,
            Lasts = TimeSpan.FromSeconds(20),
            Sees = "completed",
        },
        new(ReadOnly, FaultMoment.NextPrompt)
        {
            Show = Fault.By(world => world.Journal.Faults.FailBefore()),
            Mend = world => world.Journal.Faults.Clear(),
            Sees = "Unavailable, then completed",
        },
        new(NoConnection, FaultMoment.NextPrompt)
        {
            Show = Fault.By(world => world.Journal.Faults.FailBefore()),
            Mend = world => world.Journal.Faults.Clear(),
            Sees = "Unavailable, then completed",
        },
        new(Killed, FaultMoment.MidTool)
        {
            Show = Fault.By(world => world.Journal.Faults.FailBefore()),
            Mend = world => world.Journal.Faults.Clear(),
            Lasts = TimeSpan.FromSeconds(2),
            IsRenamedMeanwhile = true,
            Sees = "cancelled",
        },
        AtPrompt(GeneralFault.Duplicate, "An append arrives twice: the second is stale, and nothing is there twice", world => world.Journal.Faults.Duplicate(int.MaxValue), "completed"),
        AtPrompt(GeneralFault.StaleCredential, "It refuses the host's credential: the caller is told", world => world.Journal.Faults.FailBefore(PortFailureKind.Unauthorized), "Unauthorized, then completed"),
        AtPrompt(GeneralFault.CorruptAnswer, "Its answer to a commit makes no sense: the prompt that is sent again with its key is not a second one", world => world.Journal.Faults.CorruptResponses(), "Corrupt, then completed"),
        AtPrompt(GeneralFault.Full, "It has no room: the caller is told, and nothing was queued", world => world.Journal.Faults.FailBefore(PortFailureKind.Full), "Full, then completed"),
        AtPrompt(GeneralFault.ClockSkew, "The clock jumps back an hour: what follows is not written before what went", world => world.Time.Skew = TimeSpan.FromHours(-1), "completed"),
        new("A snapshot is torn: the session is folded from its records", FaultMoment.NextPrompt)
        {
            Is = GeneralFault.Partial,
            Show = async world =>
            {
                world.Journal.TearsSnapshots = true;
                await world.RestartHostAsync();
            },
            Mend = world => world.Journal.TearsSnapshots = false,
            Sees = "completed",
            Holds = world =>
            {
                Assert.True(world.Journal.SnapshotsTorn > 0);
                return ValueTask.CompletedTask;
            },
        },
    ];

    private static Fault AtPrompt(GeneralFault general, string name, Action<Skeleton> show, string sees) => new(name, FaultMoment.NextPrompt)
    {
        Is = general,
        Show = Fault.By(show),
        Mend = world => world.Journal.Faults.Clear(),
        Sees = sees,
        Holds = world =>
        {
            var times = world.Watch.Seen.Select(happened => happened.At).ToList();
            Assert.Equal(times.Order(), times);
            return ValueTask.CompletedTask;
        },
    };
}

public sealed partial class AlarmClockFaults : FaultCatalog<IAlarmClock>
{
    public override IReadOnlyList<Fault> Faults =>
    [
        AfterARestart(GeneralFault.Unavailable, "It is down when the host goes away during a start: the session is woken when it is back", world => world.Alarms.Faults.FailBefore()),
        AfterARestart(GeneralFault.Slow, "It is slow, and alarms are late", world => world.Alarms.Faults.Slow(TimeSpan.FromSeconds(10), world.Time)),
        AfterARestart(GeneralFault.LostAnswer, "The answer of a claim is lost: what is due is handed out again", world => world.Alarms.Faults.LoseResponses(int.MaxValue)),
        AfterARestart(GeneralFault.Partial, "It hands out only some of what is due: the rest follows", world => world.Alarms.MostAtOnce = 0, world => Assert.True(world.Alarms.KeptBack > 0)),
        AfterARestart(GeneralFault.Duplicate, "It hands the same out twice: a session that is awake stays as it is", world => world.Alarms.RingsAgain = true, world => Assert.True(world.Alarms.RangAgain > 0)),
        AfterARestart(GeneralFault.StaleCredential, "It refuses the host's credential", world => world.Alarms.Faults.FailBefore(PortFailureKind.Unauthorized)),
        AfterARestart(GeneralFault.CorruptAnswer, "Its answer makes no sense: what is due is handed out again", world => world.Alarms.Faults.CorruptResponses(int.MaxValue)),
        AfterARestart(GeneralFault.Full, "Its store has no room to note what was handed out", world => world.Alarms.Faults.FailBefore(PortFailureKind.Full)),
        AfterARestart(GeneralFault.ClockSkew, "Its clock goes back an hour: alarms are late, and none is lost", world => world.Time.Skew = TimeSpan.FromHours(-1)),
    ];

    /// <summary>
    /// A prompt waits for a box while the host goes away: only an alarm brings the session back. The fault lasts for longer than what
    /// the host had been handed out at last is hidden, so that the session comes due while it shows.
    /// </summary>
    private static Fault AfterARestart(GeneralFault general, string name, Action<Skeleton> show, Action<Skeleton>? met = null) => new(name, FaultMoment.Starting)
    {
        Is = general,
        Show = async world =>
        {
            await world.PassAsync(TimeSpan.FromSeconds(20));
            show(world);
            await world.RestartHostAsync();
        },
        Mend = world =>
        {
            world.Alarms.Faults.Clear();
            world.Time.Skew = TimeSpan.Zero;
            (world.Alarms.MostAtOnce, world.Alarms.RingsAgain) = (int.MaxValue, false);
        },
        Lasts = 2 * new SessionHostOptions().AlarmHide,
        Sees = "completed",
        Holds = world =>
        {
            met?.Invoke(world);
            Assert.Equal(1, world.Provider.Made);
            return ValueTask.CompletedTask;
        },
    };
}

public sealed partial class SessionHostFaults : FaultCatalog<ISessionHost>
{
    public override IReadOnlyList<Fault> Faults =>
    [
        new("It cannot be reached: nothing was queued", FaultMoment.NextPrompt)
        {
            Is = GeneralFault.Unavailable,
            OnFakeHost = true,
            Show = Fault.By(world => world.FakeHost!.Faults.FailBefore(calls: 1)),
            Sees = "Unavailable, then completed",
        },
        OnFake(GeneralFault.Slow, "It is slow", (world, host) => host.Slow(TimeSpan.FromSeconds(20), world.Time), "completed"),
        OnFake(GeneralFault.Duplicate, "A call arrives twice: by its key the prompt is queued once", (_, host) => host.Duplicate(), "completed"),
        OnFake(GeneralFault.CorruptAnswer, "Its reply makes no sense: the prompt that is sent again with its key is not a second one", (_, host) => host.CorruptResponses(), "Corrupt, then completed"),
        OnFake(GeneralFault.Full, "It has no room for another call: nothing was queued", (_, host) => host.FailBefore(PortFailureKind.Full, 1), "Full, then completed"),
        OnFake(GeneralFault.StaleCredential, "It has lost the session to another host: nothing was queued", (_, host) => host.FailBefore(PortFailureKind.Fenced, 1), "Fenced, then completed"),
        new("The clock jumps back an hour in the middle of a tool call", FaultMoment.MidTool)
        {
            Is = GeneralFault.ClockSkew,
            Show = Fault.By(world => world.Time.Skew = TimeSpan.FromHours(-1)),
            Lasts = TimeSpan.FromMinutes(2),
            Sees = "cancelled",
        },
        new("The clock jumps ahead an hour in the middle of a tool call", FaultMoment.MidTool)
        {
            Is = GeneralFault.ClockSkew,
            Show = Fault.By(world => world.Time.Skew = TimeSpan.FromHours(1)),
            Lasts = TimeSpan.FromMinutes(2),
            Sees = "cancelled",
        },
        new("Its reply is lost: the prompt that is sent again with its key is not a second one", FaultMoment.NextPrompt)
        {
            Is = GeneralFault.LostAnswer,
            OnFakeHost = true,
            Show = Fault.By(world => world.FakeHost!.Faults.LoseResponses()),
            Sees = "Timeout, then completed",
        },
        new("It restarts in the middle of a tool call: the turn goes on at the next", FaultMoment.MidTool)
        {
            Show = async world => await world.RestartHostAsync(),
            Lasts = TimeSpan.FromSeconds(30),
            Sees = "cancelled",
        },
        new("It restarts while a box starts", FaultMoment.Starting)
        {
            Show = async world => await world.RestartHostAsync(),
            Lasts = TimeSpan.FromSeconds(10),
            Sees = "completed",
        },
    ];

    public override IReadOnlyDictionary<GeneralFault, string> CannotHappen { get; } = new Dictionary<GeneralFault, string>
    {
        [GeneralFault.Partial] = "A call is one turn of one actor, and what it changes is one append.",
    };

    private static Fault OnFake(GeneralFault general, string name, Action<Skeleton, FaultSwitch> show, string sees) => new(name, FaultMoment.NextPrompt)
    {
        Is = general,
        OnFakeHost = true,
        Show = Fault.By(world => show(world, world.FakeHost!.Faults)),
        Mend = world => world.FakeHost!.Faults.Clear(),
        Sees = sees,
    };
}
