using Coordinator.Fakes.Compute;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Tests.WalkingSkeleton.World;
using Xunit;

namespace Coordinator.Tests.Faults.Catalogs;

public sealed class ArtifactStoreFaults : FaultCatalog<IArtifactStore>
{
    private const int LargeOutput = 100_000;

    public override IReadOnlyList<Fault> Faults =>
    [
        WithLargeOutput("It is down for a moment: the output is kept all the same", world => world.Artifacts.Faults.FailBefore(calls: 1), isKept: true),
        WithLargeOutput("Its answer is lost: the output is kept once", world => world.Artifacts.Faults.LoseResponses(), isKept: true),
        WithLargeOutput("It has no room: the turn goes on with what an event holds", world => world.Artifacts.Faults.FailBefore(PortFailureKind.Full), isKept: false),
    ];

    private static Fault WithLargeOutput(string name, Action<Skeleton> show, bool isKept) => new(name, FaultMoment.NextPrompt)
    {
        Show = Fault.By(world =>
        {
            world.Script = (_, _) => [new ScriptedStep.RunTool("bash", "{}", "large", new string('x', LargeOutput)), new ScriptedStep.Say("Done.")];
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
