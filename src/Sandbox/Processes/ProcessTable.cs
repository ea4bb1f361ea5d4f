using System.Globalization;

namespace Coordinator.Sandbox.Processes;

/// <summary>A process, told from a later one with the same number by when it started (clock ticks since boot).</summary>
internal readonly record struct ProcessId(int Pid, long StartedAt);

/// <summary>One line of the process table.</summary>
internal sealed record ProcessEntry(ProcessId Id, int Parent, char State)
{
    public bool IsZombie => State is 'Z' or 'X';
}

/// <summary>Reads the process table of <c>/proc</c>; in a box it holds the box's own processes and no others.</summary>
internal static class ProcessTable
{
    private const int StateField = 0;
    private const int ParentField = 1;
    private const int StartField = 19;

    public static IReadOnlyList<ProcessEntry> Read() =>
        Directory.EnumerateDirectories("/proc")
            .Select(path => int.TryParse(Path.GetFileName(path), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) ? TryRead(pid) : null)
            .OfType<ProcessEntry>()
            .ToArray();

    /// <summary>Everything below a process, itself not included.</summary>
    public static IReadOnlySet<ProcessId> Descendants(IReadOnlyList<ProcessEntry> table, int root)
    {
        var children = table.ToLookup(entry => entry.Parent);
        var found = new HashSet<ProcessId>();
        var next = new Queue<int>([root]);
        while (next.TryDequeue(out var parent))
        {
            foreach (var child in children[parent].Where(child => found.Add(child.Id))) next.Enqueue(child.Id.Pid);
        }

        return found;
    }

    /// <summary>Resident memory of a process in bytes; 0 when it is gone.</summary>
    public static long ResidentBytes(int pid)
    {
        try
        {
            var fields = File.ReadAllText($"/proc/{pid}/statm").Split(' ');
            return fields.Length > 1 && long.TryParse(fields[1], CultureInfo.InvariantCulture, out var pages) ? pages * Environment.SystemPageSize : 0;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    /// <summary>Reads <c>pid (name) state ppid …</c>; the name may hold spaces and brackets, so fields are counted after the last bracket.</summary>
    public static ProcessEntry? Parse(int pid, string stat)
    {
        var end = stat.LastIndexOf(')');
        if (end < 0) return null;
        var fields = stat[(end + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (fields.Length <= StartField || !int.TryParse(fields[ParentField], CultureInfo.InvariantCulture, out var parent)) return null;
        return long.TryParse(fields[StartField], CultureInfo.InvariantCulture, out var started) ? new(new(pid, started), parent, fields[StateField][0]) : null;
    }

    private static ProcessEntry? TryRead(int pid)
    {
        try
        {
            return Parse(pid, File.ReadAllText($"/proc/{pid}/stat"));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It ended while the table was read.
            return null;
        }
    }
}
