using Coordinator.Tests.Faults.Real;
using Coordinator.Tests.Support.Network;

namespace Coordinator.Tests.Faults.Catalogs;

public sealed partial class SandboxProviderFaults
{
    private const string MadeAndLost = "It made the box and its answer was lost: there is no second box";
    private const string Deleted = "It deleted a box and its answer was lost";

    public override IReadOnlyList<RealPlay> OnReal =>
    [
        RealPlay.Refused("A transient 503 on create is tried again", Plane) with { Times = 2 },
        RealPlay.AnswerLost(MadeAndLost, Plane, "POST /sandboxes") with { Times = 1 },
        RealPlay.Swallowed(MadeAndLost, Plane) with { Times = 1 },
        RealPlay.CutOff(MadeAndLost, Plane, afterBytes: 40) with { Times = 2 },
        RealPlay.Slow("It takes its time", Plane) with { Times = 3 },
        RealPlay.Corrupt("It made the box and its answer makes no sense: there is no second box", Plane, ^1) with { Times = 2 },
        RealPlay.Refused("It refuses to delete a box: it is asked until it does", Plane) with { Times = 2 },
        RealPlay.AnswerLost(Deleted, Plane, "DELETE /sandboxes") with { Times = 1 },
        RealPlay.Swallowed(Deleted, Plane) with { Times = 1 },
    ];

    private static FaultProxy Plane(RealOutside outside) => outside.Boxes;
}
