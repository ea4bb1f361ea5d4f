using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Faults.Real;
using Coordinator.Tests.Support.Network;
using Xunit;

namespace Coordinator.Tests.Faults.Catalogs;

public sealed partial class SessionJournalFaults
{
    private const string Moment = "It is down for a moment: the prompt is late and not lost";
    private const string Longer = "It is down for longer than a host waits: the caller is told, and nothing was queued";
    private const string Created = "It is down when a session is created";
    private const string Lost = "The answer of a commit is lost: the prompt that is sent again with its key is not a second one";
    private const string Fenced = "A second writer takes the session: the first is fenced off and its caller is told";
    private const string MidTool = "It is down in the middle of a tool call: the box goes on";
    private const string Sluggish = "It is slow";
    private const string NoSense = "Its answer to a commit makes no sense: the prompt that is sent again with its key is not a second one";

    public override IReadOnlyList<RealPlay> OnReal =>
    [
        RealPlay.Refused(Moment, Database) with { Times = 2 },
        RealPlay.Refused(Longer, Database),
        RealPlay.Refused(Created, Database),
        RealPlay.CutOff(Lost, Database) with { Times = 1, Sees = "completed" },
        RealPlay.CutOff(Lost, Database, afterBytes: 1) with { Sees = "Unavailable, then completed" },
        RealPlay.Swallowed(Lost, Database),
        RealPlay.Refused(MidTool, Database),
        RealPlay.Slow(Sluggish, Database) with { Times = 5 },
        RealPlay.Corrupt(NoSense, Database, 0) with { Sees = "Unavailable, then completed" },
        FencedByAnother(),
        RealPlay.FullDatabase("It has no room: the caller is told, and nothing was queued", "session_record"),
        RealPlay.RefusedByDatabase("It refuses the host's credential: the caller is told", orSees: "Unavailable, then completed"),
        RealPlay.Done("The clock jumps back an hour: what follows is not written before what went", "the host's clock set", outside => outside.World.Skew = TimeSpan.FromHours(-1)),
        new(ReadOnly, "default_transaction_read_only") { Show = Do(outside => outside.ReadOnly(true)), Mend = outside => outside.ReadOnly(false), IsOfNetwork = false },
        new(NoConnection, "the database's limit") { Show = Do(outside => outside.LimitConnections(true)), Mend = outside => outside.LimitConnections(false), IsOfNetwork = false },
        new(Killed, "kill -9") { Show = Do(outside => outside.Server!.Kill()), OnOwnServer = true, IsOfNetwork = false },
    ];

    public override IReadOnlyDictionary<GeneralFault, string> NotOnReal { get; } = new Dictionary<GeneralFault, string>
    {
        [GeneralFault.Duplicate] = "A PostgreSQL connection is one conversation, whose packets the server takes once; its contract appends twice.",
        [GeneralFault.Partial] = "PostgreSQL stores a row whole or not at all; a snapshot that is torn all the same is the reader's affair, which is the same on both.",
    };

    private static RealPlay FencedByAnother()
    {
        long taken = 0;
        return new(Fenced, "another host opens it")
        {
            OrSees = ["completed"], // in real time a beat of the box may be what is fenced off
            Show = async outside => taken = await OpenAsync(outside),
            IsOfNetwork = false,
            // Whoever met it, the session's host had to open it once more to write anything after it.
            Holds = async outside => Assert.True(await OpenAsync(outside) > taken + 1, "Nobody was fenced off."),
        };
    }

    private static async Task<long> OpenAsync(RealOutside outside) =>
        (await outside.World.Port<ISessionJournal>().OpenAsync(outside.World.Key, HostId.New(TimeProvider.System), create: false, CancellationToken.None))!.Epoch;

    private static FaultProxy Database(RealOutside outside) => outside.Writes;

    private static Func<RealOutside, ValueTask> Do(Action<RealOutside> show) => RealPlay.By("", "", show).Show;
}

public sealed partial class AlarmClockFaults
{
    public override IReadOnlyList<RealPlay> OnReal =>
    [
        AfterARestart("It is down when the host goes away during a start: the session is woken when it is back", "refused", database => database.Refuse()),
        AfterARestart("The answer of a claim is lost: what is due is handed out again", "cut off", database => database.CutAfter(0, Direction.ToClient)),
        AfterARestart("It is slow, and alarms are late", "slow", database => database.Delay(TimeSpan.FromMilliseconds(100))),
        AfterARestart("Its answer makes no sense: what is due is handed out again", "byte 0 corrupted", database => database.Corrupt(Direction.ToClient, 0)) with { IsImpatient = true },
        After(RealPlay.FullDatabase("Its store has no room to note what was handed out", "session_head")) with { Times = 3 },
    ];

    public override IReadOnlyDictionary<GeneralFault, string> NotOnReal { get; } = new Dictionary<GeneralFault, string>
    {
        [GeneralFault.Partial] = "How many alarms are handed out at once is the adapter's own bound, which its contract fills.",
        [GeneralFault.Duplicate] = "A claim hides what it hands out in one statement; handed out again is what a lost answer plays here.",
        [GeneralFault.StaleCredential] = "Its connections are the journal's, and so is its credential, which is played there.",
        [GeneralFault.ClockSkew] = "What is due goes by the database's own clock, which nothing outside of it sets: its contract moves what stands on that clock instead, and covers one that has gone back.",
    };

    private static RealPlay AfterARestart(string of, string how, Action<FaultProxy> show) => After(RealPlay.By(of, how, outside => show(outside.Writes))) with { Times = 3 };

    private static RealPlay After(RealPlay play) => play with
    {
        Show = async outside =>
        {
            await outside.World.RestartHostAsync();
            await play.Show(outside);
        },
    };
}

public sealed partial class SessionHostFaults
{
    public override string WhyNotOnReal => "One host calls itself in its own process: there is no network between a session and who calls it.";
}
