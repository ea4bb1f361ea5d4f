using Coordinator.Ports.Record;

namespace Coordinator.Tests.Faults.Catalogs;

public sealed class RunHistoryFaults : FaultCatalog<IRunHistory>
{
    public override IReadOnlyList<Fault> Faults =>
    [
        new("It is down when a run is to be written: the run is late and not lost", FaultMoment.NextPrompt)
        {
            Show = Fault.By(world => world.History.Faults.FailBefore()),
            Mend = world => world.History.Faults.Clear(),
            Lasts = TimeSpan.FromMinutes(3),
            Sees = "completed",
        },
        new("It wrote a run and its answer was lost: the run is written once", FaultMoment.NextPrompt)
        {
            Show = Fault.By(world => world.History.Faults.LoseResponses(2)),
            Mend = world => world.History.Faults.Clear(),
            Sees = "completed",
        },
    ];
}
