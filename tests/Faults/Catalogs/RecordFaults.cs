using Coordinator.Ports;
using Coordinator.Ports.Record;
using Coordinator.Tests.WalkingSkeleton.World;

namespace Coordinator.Tests.Faults.Catalogs;

public sealed partial class RunHistoryFaults : FaultCatalog<IRunHistory>
{
    public override IReadOnlyList<Fault> Faults =>
    [
        Flushing(GeneralFault.Unavailable, "It is down when a run is to be written: the run is late and not lost", world => world.History.Faults.FailBefore(), TimeSpan.FromMinutes(3)),
        Flushing(GeneralFault.Slow, "It is slow", world => world.History.Faults.Slow(TimeSpan.FromSeconds(20), world.Time), TimeSpan.FromMinutes(3)),
        Flushing(GeneralFault.LostAnswer, "It wrote a run and its answer was lost: the run is written once", world => world.History.Faults.LoseResponses(2)),
        Flushing(GeneralFault.Duplicate, "A run is flushed twice: it is written once", world => world.History.Faults.Duplicate()),
        Flushing(GeneralFault.StaleCredential, "It refuses the host's credential: the run waits", world => world.History.Faults.FailBefore(PortFailureKind.Unauthorized), TimeSpan.FromMinutes(3)),
        Flushing(GeneralFault.CorruptAnswer, "It wrote a run and answered what makes no sense: the run is written once", world => world.History.Faults.CorruptResponses()),
        Flushing(GeneralFault.Full, "It has no room: the run waits until it has", world => world.History.Faults.FailBefore(PortFailureKind.Full), TimeSpan.FromMinutes(3)),
        Flushing(GeneralFault.ClockSkew, "The clock jumps back an hour: the run joins the chain where it comes", world => world.Time.Skew = TimeSpan.FromHours(-1)),
    ];

    public override IReadOnlyDictionary<GeneralFault, string> CannotHappen { get; } = new Dictionary<GeneralFault, string>
    {
        [GeneralFault.Partial] = "A run and its place in the chain are one row of one transaction.",
    };

    private static Fault Flushing(GeneralFault general, string name, Action<Skeleton> show, TimeSpan? lasts = null) => new(name, FaultMoment.NextPrompt)
    {
        Is = general,
        Show = Fault.By(show),
        Mend = world => world.History.Faults.Clear(),
        Lasts = lasts,
        Sees = "completed",
    };
}
