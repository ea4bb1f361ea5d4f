using System.Globalization;

namespace Coordinator.Bench.Measuring;

/// <summary>What a process and all that descend from it hold (shared pages counted once: PSS) and have computed, from /proc.</summary>
internal static class ProcessTree
{
    private const double TicksPerSecond = 100;

    public static double Megabytes(int root, Func<string, bool>? only = null) =>
        Tree(root).Where(pid => only is null || only(NameOf(pid))).Sum(Pss) / 1024.0;

    /// <summary>CPU time of all of them since each began, with that of children that ended and were waited for.</summary>
    public static double CpuSeconds(int root, Func<string, bool>? only = null) =>
        Tree(root).Where(pid => only is null || only(NameOf(pid))).Sum(Ticks) / TicksPerSecond;

    private static List<int> Tree(int root)
    {
        var parents = Directory.EnumerateDirectories("/proc")
            .Select(folder => int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var pid) ? pid : 0)
            .Where(pid => pid > 0)
            .Select(pid => (Pid: pid, Parent: ParentOf(pid)))
            .ToLookup(process => process.Parent, process => process.Pid);
        List<int> tree = [root];
        for (var i = 0; i < tree.Count; i++) tree.AddRange(parents[tree[i]]);
        return tree;
    }

    private static int ParentOf(int pid) => Stat(pid) is { Length: > 1 } stat ? int.Parse(stat[1], CultureInfo.InvariantCulture) : 0;

    private static long Ticks(int pid) => Stat(pid) is { Length: > 14 } stat ? stat[11..15].Sum(field => long.Parse(field, CultureInfo.InvariantCulture)) : 0;

    /// <summary>The fields of /proc/PID/stat behind the name, from the third on.</summary>
    private static string[] Stat(int pid)
    {
        var stat = Read(pid, "stat");
        return stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
    }

    private static string NameOf(int pid) => Read(pid, "comm").Trim();

    private static double Pss(int pid)
    {
        var line = Read(pid, "smaps_rollup").Split('\n').FirstOrDefault(l => l.StartsWith("Pss:", StringComparison.Ordinal));
        return line is null ? 0 : double.Parse(line[4..].Replace("kB", string.Empty, StringComparison.Ordinal), CultureInfo.InvariantCulture);
    }

    /// <summary>Empty when the process has just ended.</summary>
    private static string Read(int pid, string file)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/{file}");
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return string.Empty;
        }
    }
}
