using System.Globalization;

namespace Coordinator.Bench.Measuring;

/// <summary>What a process and all that descend from it hold, shared pages counted once (PSS), from /proc.</summary>
internal static class ProcessMemory
{
    public static double TreeMegabytes(int root, Func<string, bool>? only = null) =>
        Tree(root).Where(pid => only is null || only(NameOf(pid))).Sum(Pss) / 1024.0;

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

    private static int ParentOf(int pid)
    {
        var stat = Read(pid, "stat");
        var fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length > 1 ? int.Parse(fields[1], CultureInfo.InvariantCulture) : 0;
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
