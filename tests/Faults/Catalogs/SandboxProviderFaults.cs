using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Tests.WalkingSkeleton.World;
using Xunit;

namespace Coordinator.Tests.Faults.Catalogs;

public sealed partial class SandboxProviderFaults : FaultCatalog<ISandboxProvider>
{
    public override IReadOnlyList<Fault> Faults => [.. Creating, .. Living, .. Ending];

    private static IEnumerable<Fault> Creating =>
    [
        new("A transient 503 on create is tried again", FaultMoment.FirstPrompt)
        {
            Is = GeneralFault.Unavailable,
            Show = Fault.By(world => world.Provider.CreateFaults.FailBefore()),
            Mend = world => world.Provider.CreateFaults.Clear(),
            Lasts = TimeSpan.FromSeconds(10),
            Sees = "completed",
        },
        new("It gives no box: the start does not stay starting for ever", FaultMoment.FirstPrompt)
        {
            Is = GeneralFault.Unavailable,
            Show = Fault.By(world => world.Provider.CreateFaults.FailBefore()),
            Mend = world => world.Provider.CreateFaults.Clear(),
            Sees = "failed sandbox_unavailable",
        },
        new("It has no room", FaultMoment.FirstPrompt)
        {
            Is = GeneralFault.Full,
            Show = Fault.By(world => world.Provider.CreateFaults.FailBefore(PortFailureKind.Full)),
            Mend = world => world.Provider.CreateFaults.Clear(),
            Sees = "failed sandbox_full",
        },
        Making(GeneralFault.Slow, "It takes its time", world => world.Provider.CreateFaults.Slow(TimeSpan.FromSeconds(20), world.Time), "completed"),
        Making(GeneralFault.Duplicate, "A create arrives twice: there is no second box", world => world.Provider.CreateFaults.Duplicate(), "completed"),
        Making(GeneralFault.StaleCredential, "It refuses the host's credential", world => world.Provider.CreateFaults.FailBefore(PortFailureKind.Unauthorized), "failed sandbox_unavailable"),
        Making(GeneralFault.CorruptAnswer, "It made the box and its answer makes no sense: there is no second box", world => world.Provider.CreateFaults.CorruptResponses(), "completed"),
        Making(GeneralFault.ClockSkew, "Our clock is an hour behind the provider's", world => world.Time.Skew = TimeSpan.FromHours(-1), "completed"),
        new("It refuses the box: that is told at once", FaultMoment.FirstPrompt)
        {
            Show = Fault.By(world => world.Provider.CreateFaults.FailBefore(PortFailureKind.Rejected)),
            Mend = world => world.Provider.CreateFaults.Clear(),
            Sees = "failed sandbox_unavailable",
        },
        new("It made the box and its answer was lost: there is no second box", FaultMoment.FirstPrompt)
        {
            Is = GeneralFault.LostAnswer,
            Show = Fault.By(world => world.Provider.CreateFaults.LoseResponses()),
            Sees = "completed",
            Holds = world =>
            {
                Assert.Equal(1, world.Provider.Made);
                return ValueTask.CompletedTask;
            },
        },
        new("It makes boxes and never answers: what it made is found by its label and ended", FaultMoment.FirstPrompt)
        {
            Show = Fault.By(world =>
            {
                world.BoxesDialBack = false;
                world.Provider.CreateFaults.LoseResponses(int.MaxValue);
            }),
            Mend = world =>
            {
                world.BoxesDialBack = true;
                world.Provider.CreateFaults.Clear();
            },
            Sees = "failed sandbox_unavailable",
        },
        new("The box never dials back", FaultMoment.FirstPrompt)
        {
            Show = Fault.By(world => world.BoxesDialBack = false),
            Mend = world => world.BoxesDialBack = true,
            Sees = "failed boot_timeout",
        },
        new("Its answers are lost and its listing lags: the sweep ends what the session could not find", FaultMoment.FirstPrompt)
        {
            Is = GeneralFault.Partial,
            Show = Fault.By(world =>
            {
                world.BoxesDialBack = false;
                world.Provider.CreateFaults.LoseResponses(int.MaxValue);
                world.Provider.HideFromListings = _ => true;
            }),
            Mend = world =>
            {
                world.BoxesDialBack = true;
                world.Provider.CreateFaults.Clear();
                world.Provider.HideFromListings = _ => false;
            },
            Sees = "failed sandbox_unavailable",
        },
    ];

    private static Fault Making(GeneralFault general, string name, Action<Skeleton> show, string sees) => new(name, FaultMoment.FirstPrompt)
    {
        Is = general,
        Show = Fault.By(show),
        Mend = world => world.Provider.CreateFaults.Clear(),
        Sees = sees,
        Holds = world =>
        {
            Assert.Equal(1, world.Provider.Made);
            return ValueTask.CompletedTask;
        },
    };

    private static IEnumerable<Fault> Living =>
    [
        new("The box dies in the middle of a tool call", FaultMoment.MidTool)
        {
            Show = Fault.By(world => world.KillBox()),
            Sees = "failed interrupted",
        },
        new("The box dies and nobody can be asked about it", FaultMoment.MidTool)
        {
            Show = Fault.By(world =>
            {
                world.Provider.LookFaults.FailBefore();
                world.KillBox();
            }),
            Mend = world => world.Provider.LookFaults.Clear(),
            Sees = "failed interrupted",
        },
        new("A closed transport is not taken for a dead box", FaultMoment.MidTool)
        {
            Show = Fault.By(world => world.DropBridge()),
            Lasts = TimeSpan.FromMinutes(2),
            Sees = "cancelled",
            Holds = world =>
            {
                Assert.True(world.Dials > 1, "No connection was closed.");
                Assert.DoesNotContain("sandbox.lost", world.Types);
                return ValueTask.CompletedTask;
            },
        },
    ];

    private static IEnumerable<Fault> Ending =>
    [
        new("It refuses to delete a box: it is asked until it does", FaultMoment.Archiving)
        {
            Show = Fault.By(world => world.Provider.DestroyFaults.FailBefore(PortFailureKind.Unavailable)),
            Mend = world => world.Provider.DestroyFaults.Clear(),
            Lasts = TimeSpan.FromMinutes(5),
            Sees = "archived",
        },
        new("It deleted a box and its answer was lost", FaultMoment.Archiving)
        {
            Show = Fault.By(world => world.Provider.DestroyFaults.LoseResponses()),
            Lasts = TimeSpan.FromMinutes(1),
            Sees = "archived",
        },
    ];
}
