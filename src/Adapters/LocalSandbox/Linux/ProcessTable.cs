using System.Globalization;

namespace Coordinator.Adapters.LocalSandbox.Linux;

/// <summary>
/// Which process: a pid is used again, a pid with its start time within one boot (and one pid namespace) is not.
/// <see cref="StartTicks"/> is field 22 of <c>/proc/PID/stat</c>.
/// </summary>
internal sealed record ProcessIdentity(int Pid, long StartTicks, string Boot);

/// <summary>One line of the process table. Resident memory in bytes.</summary>
internal readonly record struct ProcessEntry(int Pid, char State, int Parent, long StartTicks, long ResidentBytes)
{
    /// <summary>A zombie is dead: it runs nothing and holds nothing but its number.</summary>
    public bool IsAlive => State is not ('Z' or 'X' or 'x');
}

/// <summary>Reads <c>/proc</c>.</summary>
internal static class ProcessTable
{
    /// <summary>Names this boot of the machine and this process's pid namespace: pids mean nothing outside of both.</summary>
    public static string CurrentBoot { get; } =
        $"{File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim()}/{new FileInfo("/proc/self/ns/pid").LinkTarget}";

    /// <summary>The process with this pid, dead or alive; null when there is none.</summary>
    public static ProcessEntry? Find(int pid)
    {
        try
        {
            return Parse(File.ReadAllText($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/stat"));
        }
        catch (IOException)
        {
            // It ended between the look-up and the read.
            return null;
        }
    }

    /// <summary>The identity of a living process; null when it is dead.</summary>
    public static ProcessIdentity? Identify(int pid) =>
        Find(pid) is { IsAlive: true } entry ? new(pid, entry.StartTicks, CurrentBoot) : null;

    public static bool IsAlive(ProcessIdentity? identity) =>
        identity is not null && identity.Boot == CurrentBoot && Find(identity.Pid) is { IsAlive: true } entry && entry.StartTicks == identity.StartTicks;

    /// <summary>Every process there is.</summary>
    public static IReadOnlyList<ProcessEntry> All()
    {
        List<ProcessEntry> entries = [];
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && Find(pid) is { } entry) entries.Add(entry);
        }

        return entries;
    }

    /// <summary>
    /// A process and all that descend from it. The children of a process that ended belong to the first process of their
    /// pid namespace, so of a box's first process these are all there are.
    /// </summary>
    public static IReadOnlyList<ProcessEntry> Tree(int root, IReadOnlyList<ProcessEntry> all)
    {
        var children = all.ToLookup(entry => entry.Parent);
        List<ProcessEntry> tree = [.. all.Where(entry => entry.Pid == root)];
        for (var next = 0; next < tree.Count; next++) tree.AddRange(children[tree[next].Pid]);
        return tree;
    }

    /// <summary>The number of the pid namespace a process lives in; null when it is gone or another user's.</summary>
    public static long? PidNamespaceOf(int pid)
    {
        try
        {
            // pid:[4026532181]
            var link = new FileInfo($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/ns/pid").LinkTarget;
            return link is null ? null : long.Parse(link.AsSpan(link.IndexOf('[', StringComparison.Ordinal) + 1).TrimEnd(']'), CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>True when the process was started with <c>NAME=value</c> in its environment and may be read from here.</summary>
    public static bool HasEnvironment(int pid, string assignment)
    {
        try
        {
            var environment = File.ReadAllText($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/environ");
            return environment.Split('\0').Contains(assignment, StringComparer.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Gone, or another user's and so not ours.
            return false;
        }
    }

    private static ProcessEntry? Parse(string stat)
    {
        // The second field is the program's name in parentheses and may hold anything, parentheses and spaces included.
        var open = stat.IndexOf('(', StringComparison.Ordinal);
        var close = stat.LastIndexOf(')');
        if (open < 0 || close < 0) return null;
        var fields = stat[(close + 2)..].Split(' ');
        if (fields.Length < 22) return null;
        return new(
            int.Parse(stat.AsSpan(0, open - 1), CultureInfo.InvariantCulture),
            fields[0][0],
            int.Parse(fields[1], CultureInfo.InvariantCulture),
            long.Parse(fields[19], CultureInfo.InvariantCulture),
            long.Parse(fields[21], CultureInfo.InvariantCulture) * Environment.SystemPageSize);
    }
}
