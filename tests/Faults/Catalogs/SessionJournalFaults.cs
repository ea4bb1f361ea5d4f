using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Tests.Faults.Catalogs;

public sealed class SessionJournalFaults : FaultCatalog<ISessionJournal>
{
    public override IReadOnlyList<Fault> Faults =>
    [
        new("It is down for a moment: the prompt is late and not lost", FaultMoment.NextPrompt)
        {
            Show = Fault.By(world => world.Journal.Faults.FailBefore()),
            Mend = world => world.Journal.Faults.Clear(),
            Lasts = TimeSpan.FromSeconds(5),
            Sees = "completed",
        },
        new("It is down for longer than a host waits: the caller is told, and nothing was queued", FaultMoment.NextPrompt)
        {
            Show = Fault.By(world => world.Journal.Faults.FailBefore()),
            Mend = world => world.Journal.Faults.Clear(),
            Sees = "Unavailable, then completed",
        },
        new("It is down when a session is created", FaultMoment.Creating)
        {
            Show = Fault.By(world => world.Journal.Faults.FailBefore(PortFailureKind.Unavailable)),
            Mend = world => world.Journal.Faults.Clear(),
            Sees = "Unavailable",
        },
        new("The answer of a commit is lost: the prompt that is sent again with its key is not a second one", FaultMoment.NextPrompt)
        {
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
        },
        new("It is down in the middle of a tool call: the box goes on", FaultMoment.MidTool)
        {
            Show = Fault.By(world => world.Journal.Faults.FailBefore()),
            Mend = world => world.Journal.Faults.Clear(),
            Lasts = TimeSpan.FromMinutes(3),
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
            Show = Fault.By(world => world.Journal.SlowBy = TimeSpan.FromSeconds(2)),
            Mend = world => world.Journal.SlowBy = TimeSpan.Zero,
            Lasts = TimeSpan.FromSeconds(20),
            Sees = "completed",
        },
    ];
}

public sealed class AlarmClockFaults : FaultCatalog<IAlarmClock>
{
    public override IReadOnlyList<Fault> Faults =>
    [
        new("It is down when the host goes away during a start: the session is woken when it is back", FaultMoment.Starting)
        {
            Show = async world =>
            {
                world.Alarms.Faults.FailBefore();
                await world.RestartHostAsync();
            },
            Mend = world => world.Alarms.Faults.Clear(),
            Lasts = TimeSpan.FromSeconds(30),
            Sees = "completed",
        },
        new("The answer of a claim is lost: what is due is handed out again", FaultMoment.Starting)
        {
            Show = async world =>
            {
                await world.PassAsync(TimeSpan.FromSeconds(20));
                world.Alarms.Faults.LoseResponses(10);
                await world.RestartHostAsync();
            },
            Mend = world => world.Alarms.Faults.Clear(),
            Lasts = TimeSpan.FromSeconds(10),
            Sees = "completed",
        },
    ];
}

public sealed class SessionHostFaults : FaultCatalog<ISessionHost>
{
    public override IReadOnlyList<Fault> Faults =>
    [
        new("It cannot be reached: nothing was queued", FaultMoment.NextPrompt)
        {
            OnFakeHost = true,
            Show = Fault.By(world => world.FakeHost!.Faults.FailBefore(calls: 1)),
            Sees = "Unavailable, then completed",
        },
        new("Its reply is lost: the prompt that is sent again with its key is not a second one", FaultMoment.NextPrompt)
        {
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
}
