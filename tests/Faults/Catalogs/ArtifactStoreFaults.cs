using Coordinator.Fakes.Compute;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Tests.WalkingSkeleton.World;
using Xunit;

namespace Coordinator.Tests.Faults.Catalogs;

public sealed partial class ArtifactStoreFaults : FaultCatalog<IArtifactStore>
{
    private const int LargeOutput = 100_000;

    public override IReadOnlyList<Fault> Faults =>
    [
        WithLargeOutput(GeneralFault.Unavailable, "It is down for a moment: the output is kept all the same", world => world.Artifacts.Faults.FailBefore(calls: 1), isKept: true),
        WithLargeOutput(GeneralFault.Slow, "It is slow", world => world.Artifacts.Faults.Slow(TimeSpan.FromSeconds(5), world.Time), isKept: true),
        WithLargeOutput(GeneralFault.LostAnswer, "Its answer is lost: the output is kept once", world => world.Artifacts.Faults.LoseResponses(), isKept: true),
        WithLargeOutput(GeneralFault.Duplicate, "An upload arrives twice: it is kept once", world => world.Artifacts.Faults.Duplicate(), isKept: true),
        WithLargeOutput(GeneralFault.StaleCredential, "It refuses the host's credential: the turn goes on with what an event holds", world => world.Artifacts.Faults.FailBefore(PortFailureKind.Unauthorized), isKept: false),
        WithLargeOutput(GeneralFault.CorruptAnswer, "It answers what makes no sense, once: the output is kept once", world => world.Artifacts.Faults.CorruptResponses(), isKept: true),
        WithLargeOutput(GeneralFault.Full, "It has no room: the turn goes on with what an event holds", world => world.Artifacts.Faults.FailBefore(PortFailureKind.Full), isKept: false),
        WhileArchiving(GeneralFault.Unavailable, "It is down when a sleeping session's events are archived: they stay in the journal until they are", world => world.Artifacts.Faults.FailBefore()),
        WhileArchiving(GeneralFault.Full, "It has no room for a sleeping session's events: they stay in the journal until it has", world => world.Artifacts.Faults.FailBefore(PortFailureKind.Full)),
        WhileArchiving(GeneralFault.LostAnswer, "Its answer is lost when a sleeping session's events are archived: they stay, and are stored once", world => world.Artifacts.Faults.LoseResponses()),
    ];

    public override IReadOnlyDictionary<GeneralFault, string> CannotHappen { get; } = new Dictionary<GeneralFault, string>
    {
        [GeneralFault.Partial] = "Nothing is visible until it is whole and has the hash that is its name; the contract cuts uploads off.",
        [GeneralFault.ClockSkew] = "A blob is named by its content; the port takes no time and answers none.",
    };

    private static void MakeLargeOutput(Skeleton world) => world.Script = (_, _) => [new ScriptedStep.RunTool("bash", "{}", "large", new string('x', LargeOutput)), new ScriptedStep.Say("Done.")];

    private static Fault WithLargeOutput(GeneralFault general, string name, Action<Skeleton> show, bool isKept) => new(name, FaultMoment.NextPrompt)
    {
        Is = general,
        Show = Fault.By(world =>
        {
            MakeLargeOutput(world);
            show(world);
        }),
        Mend = world =>
        {
            world.Script = DirectiveScript.Play;
            world.Artifacts.Faults.Clear();
        },
        Sees = "completed",
        Holds = world =>
        {
            var tool = Assert.Single(world.Watch.Seen, happened => happened.Type == "tool.completed");
            Assert.True(tool.Data.GetProperty("truncated").GetBoolean());
            Assert.Equal(isKept, tool.Text("artifact") is not null);
            Assert.Equal(isKept ? 1 : 0, world.Artifacts.Count);
            return ValueTask.CompletedTask;
        },
    };
}
