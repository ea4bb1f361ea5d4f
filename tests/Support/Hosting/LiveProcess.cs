using System.Globalization;

namespace Coordinator.Tests.Support.Hosting;

/// <summary>A live process of this machine, by what /proc tells of it.</summary>
public sealed record LiveProcess(int Id, string Command)
{
    /// <summary>
    /// Live processes whose command line or mounts name <paramref name="text"/>: that is every process of a box whose
    /// folders lie there, and every server that was told to work there. A zombie is not live.
    /// </summary>
    public static IReadOnlyList<LiveProcess> Naming(string text)
    {
        List<LiveProcess> found = [];
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id) || id == Environment.ProcessId) continue;
            var command = Read(Path.Combine(folder, "cmdline")).Replace('\0', ' ').Trim();
            if (command.Length == 0) continue;
            if (command.Contains(text, StringComparison.Ordinal) || Read(Path.Combine(folder, "mountinfo")).Contains(text, StringComparison.Ordinal)) found.Add(new(id, command));
        }

        return found;
    }

    /// <summary>Kills it; one that has ended meanwhile is as good. True when it had not.</summary>
    public bool Kill()
    {
        try
        {
            using var process = System.Diagnostics.Process.GetProcessById(Id);
            process.Kill();
            return true;
        }
        catch (Exception ended) when (ended is ArgumentException or InvalidOperationException)
        {
            return false;
        }
    }

    public override string ToString() => $"{Id}: {(Command.Length > 120 ? Command[..120] + "…" : Command)}";

    /// <summary>Empty when the process has ended meanwhile or is another user's.</summary>
    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return string.Empty;
        }
    }
}
