using System.Globalization;
using System.Text;
using Coordinator.Tests.Simulation.Faults;
using Coordinator.Tests.Simulation.Invariants;
using Coordinator.Tests.Simulation.Mutations;
using Coordinator.Tests.Simulation.World;

namespace Coordinator.Tests.Simulation.Shrinking;

/// <summary>A run that broke an invariant: which, where, and what is needed to see it again.</summary>
internal sealed record Failure(SimRun Run, Mutation Mutation, long Step, string Invariant, string Detail)
{
    private const int TraceLines = 60;

    /// <summary>Runs one world; null: it is well.</summary>
    public static Failure? Of(SimRun run, Mutation mutation = Mutation.None, Trace? trace = null) => Of(run, mutation, trace, out _);

    public static Failure? Of(SimRun run, Mutation mutation, Trace? trace, out SimWorld world)
    {
        world = new SimWorld(run.Plan(), mutation, trace);
        try
        {
            world.Run();
            return null;
        }
        catch (InvariantBrokenException e)
        {
            return new(run, mutation, world.Steps, e.Invariant, e.Message);
        }
    }

    /// <summary>Everything somebody needs who has to mend it.</summary>
    public string Report()
    {
        var trace = new Trace(TraceLines);
        Of(Run, Mutation, trace);
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"seed {Run.Seed}, step {Step}, invariant {Detail}");
        text.AppendLine(CultureInfo.InvariantCulture, $"the last {trace.Lines.Count} lines of the trace:");
        foreach (var line in trace.Lines) text.AppendLine(line);
        text.AppendLine("replay it with:");
        text.AppendLine(CultureInfo.InvariantCulture, $"  COORDINATOR_SIMULATION_REPLAY='{Run}' dotnet test tests/Simulation -c Release --filter FullyQualifiedName~Replay");
        text.AppendLine(CultureInfo.InvariantCulture, $"pin it by a line '{Run}' in tests/Simulation/Seeds/pinned.txt");
        return text.ToString();
    }
}
