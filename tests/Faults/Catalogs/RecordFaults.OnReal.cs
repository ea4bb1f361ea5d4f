using Coordinator.Tests.Faults.Real;
using Coordinator.Tests.Support.Network;

namespace Coordinator.Tests.Faults.Catalogs;

public sealed partial class RunHistoryFaults
{
    private const string Written = "It wrote a run and its answer was lost: the run is written once";

    public override IReadOnlyList<RealPlay> OnReal =>
    [
        RealPlay.Refused("It is down when a run is to be written: the run is late and not lost", Database) with { Times = 1 },
        RealPlay.AnswerLost(Written, Database, "COMMIT") with { Times = 1 },
        RealPlay.Swallowed(Written, Database) with { Times = 1 },
        RealPlay.Slow("It is slow", Database) with { Times = 5 },
    ];

    private static FaultProxy Database(RealOutside outside) => outside.Rows;
}
