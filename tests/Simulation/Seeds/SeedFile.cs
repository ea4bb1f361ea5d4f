using Coordinator.Tests.Simulation.Shrinking;

namespace Coordinator.Tests.Simulation.Seeds;

/// <summary>Reads the files of pinned runs: one a line; <c>#</c> begins a remark.</summary>
internal static class SeedFile
{
    public static IReadOnlyList<SimRun> Pinned => [.. Lines("pinned.txt").Select(SimRun.Parse)];

    /// <summary>The runs that find a mutation: lines of the form <c>Mutation run</c>.</summary>
    public static IReadOnlyList<SimRun> Of(string mutation) =>
        [.. Lines("mutations.txt").Select(line => line.Split(' ', 2)).Where(parts => parts[0] == mutation).Select(parts => SimRun.Parse(parts[1]))];

    private static IEnumerable<string> Lines(string file) =>
        File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Seeds", file)).Select(line => line.Split('#')[0].Trim()).Where(line => line.Length > 0);
}
