using System.Globalization;

namespace Coordinator.Tests.Simulation;

/// <summary>What the command line may ask of the simulation, by environment variables (CONTRIBUTING.md).</summary>
internal static class SimulationSettings
{
    private const int UsualSeconds = 30;
    private const long UsualSteps = 10_000_000;

    /// <summary>How long fresh seeds are run at least.</summary>
    public static TimeSpan Budget => TimeSpan.FromSeconds(Seconds ?? UsualSeconds);

    /// <summary>How long they are run at most when the steps take longer than the time.</summary>
    public static TimeSpan Limit => Longer(TimeSpan.FromSeconds(300), Budget);

    /// <summary>The first fresh seed; by default one that nobody had before.</summary>
    public static long FirstSeed => Number("COORDINATOR_SIMULATION_SEED") ?? TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() * 1_000;

    /// <summary>
    /// How many steps are made at least, in whatever time up to the limit. Who names a time and no steps asks for that time
    /// and for what comes of it.
    /// </summary>
    public static long StepsToReach => Number("COORDINATOR_SIMULATION_STEPS") ?? (Seconds is null ? UsualSteps : 0);

    /// <summary>The run to replay, as a failure printed it.</summary>
    public static string? Replay => Environment.GetEnvironmentVariable("COORDINATOR_SIMULATION_REPLAY");

    /// <summary>The file that the figures are added to, since a test that passes says nothing on the console.</summary>
    public static string? Report => Environment.GetEnvironmentVariable("COORDINATOR_SIMULATION_REPORT");

    private static long? Seconds => Number("COORDINATOR_SIMULATION_SECONDS");

    private static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;

    private static long? Number(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? long.Parse(text, CultureInfo.InvariantCulture) : null;
}
