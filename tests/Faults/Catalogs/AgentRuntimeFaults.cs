using Coordinator.Fakes.Compute;
using Coordinator.Ports.Compute;

namespace Coordinator.Tests.Faults.Catalogs;

public sealed class AgentRuntimeFaults : FaultCatalog<IAgentRuntime>
{
    public override IReadOnlyList<Fault> Faults =>
    [
        new("It cannot be started: the boot's error reaches the user", FaultMoment.FirstPrompt)
        {
            Show = Fault.By(world => world.AgentExecutable = "/nowhere/agent"),
            Mend = world => world.AgentExecutable = "/agent",
            Sees = "failed agent_start_failed",
        },
        InTurn("It crashes in its turn", ScriptedAgentFault.Crash, "failed agent_crashed"),
        InTurn("It hangs", ScriptedAgentFault.Hang, "failed agent_hung"),
        InTurn("It says what makes no sense: that shortens nothing that does", ScriptedAgentFault.Garbage, "completed"),
        InTurn("Its updates stop without an end: the turn does not run for ever", ScriptedAgentFault.NoEnd, "failed agent_crashed"),
        InTurn("It floods: everything arrives", ScriptedAgentFault.Flood, "completed"),
        InTurn("It asks and does not hear the answer: the turn has a deadline", ScriptedAgentFault.PermissionNeverAnswered, "cancelled", "@run echo asked"),
        new("Empty output is not a success", FaultMoment.FirstPrompt)
        {
            Show = Fault.By(_ => { }),
            Prompt = "@nothing",
            Sees = "failed empty_output",
        },
        new("Its model is refused: the reason is told", FaultMoment.FirstPrompt)
        {
            Show = Fault.By(_ => { }),
            Prompt = "@fail 401 Incorrect API key",
            Sees = "failed model_error",
        },
    ];

    private static Fault InTurn(string name, ScriptedAgentFault fault, string sees, string prompt = "@say Answered.") => new(name, FaultMoment.FirstPrompt)
    {
        Show = Fault.By(world => world.NextAgentFault = fault),
        Mend = world => world.NextAgentFault = ScriptedAgentFault.None,
        Sees = sees,
        Prompt = prompt,
    };
}
