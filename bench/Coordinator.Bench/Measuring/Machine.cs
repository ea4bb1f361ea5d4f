using System.Runtime.InteropServices;

namespace Coordinator.Bench.Measuring;

/// <summary>Where the figures were taken, and how busy it was: a figure without these says nothing.</summary>
internal sealed record Machine(string Processor, int Cores, double MemoryGb, string System, string Runtime, string LoadBefore, string LoadAfter)
{
    public static Machine Describe(string loadBefore) => new(
        Find("/proc/cpuinfo", "model name") ?? RuntimeInformation.ProcessArchitecture.ToString(),
        Environment.ProcessorCount,
        Math.Round(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1e9, 1),
        RuntimeInformation.OSDescription,
        RuntimeInformation.FrameworkDescription,
        loadBefore,
        Load());

    /// <summary>Load averages over 1, 5 and 15 minutes; empty where the system does not say.</summary>
    public static string Load() => File.Exists("/proc/loadavg") ? string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ')[..3]) : string.Empty;

    private static string? Find(string file, string field) =>
        File.Exists(file) ? File.ReadLines(file).FirstOrDefault(line => line.StartsWith(field, StringComparison.Ordinal))?.Split(':', 2)[1].Trim() : null;
}
