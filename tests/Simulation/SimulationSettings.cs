using System.Globalization;

namespace Coordinator.Tests.Simulation;

/// <summary>What the command line may ask of the simulation, by environment variables (CONTRIBUTING.md).</summary>
internal static class SimulationSettings
{
    /// <summary>How long fresh seeds are run.</summary>
    public static TimeSpan Budget => TimeSpan.FromSeconds(Number("COORDINATOR_SIMULATION_SECONDS") ?? 90);

    /// <summary>The first fresh seed; by default one that nobody had before.</summary>
    public static long FirstSeed => Number("COORDINATOR_SIMULATION_SEED") ?? TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() * 1_000;

    /// <summary>How many steps the budget must be enough for; 0: as many as there are.</summary>
    public static long StepsToReach => Number("COORDINATOR_SIMULATION_STEPS") ?? 0;

    /// <summary>The run to replay, as a failure printed it.</summary>
    public static string? Replay => Environment.GetEnvironmentVariable("COORDINATOR_SIMULATION_REPLAY");

    /// <summary>The file that the figures are added to, since a test that passes says nothing on the console.</summary>
    public static string? Report => Environment.GetEnvironmentVariable("COORDINATOR_SIMULATION_REPORT");

    private static long? Number(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? long.Parse(text, CultureInfo.InvariantCulture) : null;
}
