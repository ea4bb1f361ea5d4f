using Coordinator.Fakes.Compute;
using Coordinator.Ports.Compute;
using Coordinator.Tests.WalkingSkeleton.World;
using Xunit;

namespace Coordinator.Tests.Faults.Catalogs;

public sealed partial class AgentRuntimeFaults : FaultCatalog<IAgentRuntime>
{
    public override IReadOnlyList<Fault> Faults =>
    [
        new("It cannot be started: the boot's error reaches the user", FaultMoment.FirstPrompt)
        {
            Is = GeneralFault.Unavailable,
            Show = Fault.By(world => world.AgentExecutable = "/nowhere/agent"),
            Mend = world => world.AgentExecutable = "/agent",
            Sees = "failed agent_start_failed",
        },
        InTurn(null, "It crashes in its turn", ScriptedAgentFault.Crash, "failed agent_crashed"),
        InTurn(null, "It hangs", ScriptedAgentFault.Hang, "failed agent_hung"),
        InTurn(GeneralFault.CorruptAnswer, "It says what makes no sense: that shortens nothing that does", ScriptedAgentFault.Garbage, "completed") with { Holds = Said("\0\u001b[2J", "Answered.") },
        InTurn(GeneralFault.LostAnswer, "Its updates stop without an end: the turn does not run for ever", ScriptedAgentFault.NoEnd, "failed agent_crashed"),
        InTurn(null, "It floods: everything arrives", ScriptedAgentFault.Flood, "completed") with { Holds = Said(new('x', ScriptedAgentRuntime.FloodSize), "Answered.") },
        InTurn(null, "It asks and does not hear the answer: the turn has a deadline", ScriptedAgentFault.PermissionNeverAnswered, "cancelled", "@run echo asked"),
        InTurn(null, "Its updates come out of order: the turn ends as it ended", ScriptedAgentFault.OutOfOrder, "completed", "@run echo hello") with { Holds = Told("Done.", "tool.completed", "tool.started") },
        InTurn(GeneralFault.Duplicate, "Its updates come twice: the turn ends once", ScriptedAgentFault.Twice, "completed", "@run echo hello") with { Holds = Told("Done.", "tool.started", "tool.started", "tool.completed", "tool.completed") },
        new("It is slow: a quiet long turn is not a dead one", FaultMoment.FirstPrompt)
        {
            Is = GeneralFault.Slow,
            Show = Fault.By(world => world.Script = (_, _) => [new ScriptedStep.Wait(TimeSpan.FromMinutes(4)), new ScriptedStep.Say("At last.")]),
            Mend = world => world.Script = DirectiveScript.Play,
            Sees = "completed",
            Holds = Said("At last."),
        },
        new("Its model has no room for the conversation: the reason is told", FaultMoment.FirstPrompt)
        {
            Is = GeneralFault.Full,
            Show = Fault.By(_ => { }),
            Prompt = "@fail 400 The context is too long",
            Sees = "failed model_error",
        },
        new("Empty output is not a success", FaultMoment.FirstPrompt)
        {
            Is = GeneralFault.Partial,
            Show = Fault.By(_ => { }),
            Prompt = "@nothing",
            Sees = "failed empty_output",
        },
        new("Its model is refused: the reason is told", FaultMoment.FirstPrompt)
        {
            Is = GeneralFault.StaleCredential,
            Show = Fault.By(_ => { }),
            Prompt = "@fail 401 Incorrect API key",
            Sees = "failed model_error",
        },
    ];

    public override IReadOnlyDictionary<GeneralFault, string> CannotHappen { get; } = new Dictionary<GeneralFault, string>
    {
        [GeneralFault.ClockSkew] = "An agent's updates hold no times of its own that anything goes by; the host dates what it writes.",
    };

    /// <summary>What the agent said in the turn is there whole, each part once and put together as a client does.</summary>
    private static Func<Skeleton, ValueTask> Said(params string[] parts) => world =>
    {
        var message = world.Watch.Seen.First(happened => happened.Type == "message.queued").Message;
        Dictionary<string, string> said = [];
        foreach (var delta in world.Watch.Seen.Where(happened => happened.Type == "agent.text" && happened.Message == message))
        {
            var before = said.GetValueOrDefault(delta.Text("part")!, "");
            said[delta.Text("part")!] = before[..Math.Min(delta.Data.GetProperty("offset").GetInt32(), before.Length)] + delta.Text("text");
        }

        Assert.Equal(parts, said.Values);
        return ValueTask.CompletedTask;
    };

    /// <summary>What it said, and in which order its one tool began and ended: as the agent told it, rightly or wrongly.</summary>
    private static Func<Skeleton, ValueTask> Told(string said, params string[] tools) => async world =>
    {
        await Said(said)(world);
        Assert.Equal(tools, world.Types.Where(type => type is "tool.started" or "tool.completed"));
    };

    private static Fault InTurn(GeneralFault? general, string name, ScriptedAgentFault fault, string sees, string prompt = "@say Answered.") => new(name, FaultMoment.FirstPrompt)
    {
        Is = general,
        Show = Fault.By(world => world.NextAgentFault = fault),
        Mend = world => world.NextAgentFault = ScriptedAgentFault.None,
        Sees = sees,
        Prompt = prompt,
    };
}
