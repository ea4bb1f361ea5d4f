using Coordinator.Tests.Faults.Real;
using Coordinator.Tests.Support.Network;

namespace Coordinator.Tests.Faults.Catalogs;

public sealed partial class RunHistoryFaults
{
    private const string Written = "It wrote a run and its answer was lost: the run is written once";

    public override IReadOnlyList<RealPlay> OnReal =>
    [
        RealPlay.Refused("It is down when a run is to be written: the run is late and not lost", Database) with { Times = 1 },
        RealPlay.AnswerLost(Written, Database, "INSERT INTO run ") with { Times = 1 },
        RealPlay.Swallowed(Written, Database) with { Times = 1 },
        RealPlay.Slow("It is slow", Database) with { Times = 2 },
        RealPlay.FullDatabase("It has no room: the run waits until it has", "run") with { Times = 2 },
        RealPlay.Corrupt("It wrote a run and answered what makes no sense: the run is written once", Database, 0) with { Times = 1 },
        RealPlay.Done("The clock jumps back an hour: the run joins the chain where it comes", "the host's clock set", outside => outside.World.Skew = TimeSpan.FromHours(-1)),
    ];

    public override IReadOnlyDictionary<GeneralFault, string> NotOnReal { get; } = new Dictionary<GeneralFault, string>
    {
        [GeneralFault.Duplicate] = "A PostgreSQL connection is one conversation, whose packets the server takes once; written again after a lost answer is played.",
        [GeneralFault.StaleCredential] = "It is the database that the journal is in: nobody gets as far as a run that could not be written.",
    };

    private static FaultProxy Database(RealOutside outside) => outside.Rows;
}
