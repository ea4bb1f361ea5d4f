namespace Coordinator.Cli.Journey;

/// <summary>Finds live processes of a session on this machine: their command line or what they have mounted names it.</summary>
internal static partial class SessionProcesses
{
    /// <summary>Sessions that have something running on this machine.</summary>
    public static IReadOnlyCollection<string> SessionsWithBoxes()
    {
        HashSet<string> found = new(StringComparer.Ordinal);
        foreach (var folder in Directory.EnumerateDirectories("/proc").Where(d => int.TryParse(Path.GetFileName(d), out _)))
            foreach (System.Text.RegularExpressions.Match match in SessionFolder().Matches(Read(Path.Combine(folder, "mountinfo")))) found.Add(match.Groups["id"].Value);
        return found;
    }

    public static IReadOnlyList<string> Find(string sessionId)
    {
        List<string> found = [];
        foreach (var folder in Directory.EnumerateDirectories("/proc").Where(d => int.TryParse(Path.GetFileName(d), out _)))
        {
            if (Path.GetFileName(folder) == Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture)) continue;
            var command = Read(Path.Combine(folder, "cmdline")).Replace('\0', ' ');
            if (command.Contains(sessionId, StringComparison.Ordinal) || Read(Path.Combine(folder, "mountinfo")).Contains(sessionId, StringComparison.Ordinal))
                found.Add($"{Path.GetFileName(folder)}: {(command.Length > 80 ? command[..80] : command)}");
        }

        return found;
    }

    /// <summary>Empty when the process ended meanwhile or is another user's.</summary>
    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return string.Empty;
        }
    }

    [System.Text.RegularExpressions.GeneratedRegex("/sessions/(?<id>ses_[0-9a-z]{26})/")]
    private static partial System.Text.RegularExpressions.Regex SessionFolder();
}
