using Coordinator.Ports;
using Coordinator.Tests.Faults.Real;
using Coordinator.Tests.Support.Network;

namespace Coordinator.Tests.Faults.Catalogs;

public sealed partial class SandboxProviderFaults
{
    private const string MadeAndLost = "It made the box and its answer was lost: there is no second box";
    private const string Behind = "Our clock is an hour behind the provider's";
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
        RealPlay.Duplicate("A create arrives twice: there is no second box", Plane) with { Times = 1 },
        RealPlay.Done("It has no room", "the data plane answers that it is full, until the user was told", outside => outside.World.Provider.CreateFaults.FailBefore(PortFailureKind.Full)) with
        {
            Until = outside => outside.World.Watch.Seen.Any(happened => happened.Type == "sandbox.booting" && happened.Text("code") == "sandbox_full"),
            Mend = outside => outside.World.Provider.CreateFaults.Clear(),
            Sees = "completed",
        },
        new("It refuses the host's credential", "the data plane's key is another") { Show = outside => outside.RotatePlaneKeyAsync(), IsOfNetwork = false },
        RealPlay.Done(Behind, "by 4 minutes", outside => outside.PlaneSkew = TimeSpan.FromMinutes(4)),
        RealPlay.Done(Behind, "by an hour: no signature is believed", outside => outside.PlaneSkew = TimeSpan.FromHours(1)) with { Sees = "failed sandbox_unavailable" },
    ];

    public override IReadOnlyDictionary<GeneralFault, string> NotOnReal { get; } = new Dictionary<GeneralFault, string>
    {
        [GeneralFault.Partial] = "A listing that lags is the cloud's own; over the data plane's contract it comes whole or not at all.",
    };

    private static FaultProxy Plane(RealOutside outside) => outside.Boxes;
}
