using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.SessionAccess.Sessions;

/// <summary>What a session is called: one line, at most 200 characters.</summary>
internal static class SessionTitle
{
    public const int MaxLength = 200;

    private const int DerivedLength = 80;

    public static Problem? Check(string title)
    {
        var trimmed = title.Trim();
        return trimmed.Length is 0 or > MaxLength || trimmed.Any(char.IsControl)
            ? new("title_invalid", $"A title is one line of 1 to {MaxLength} characters.")
            : null;
    }

    /// <summary>The title that was given; else the prompt's first line; else the repository's name.</summary>
    public static string Choose(string? title, string? prompt, RepositoryRef? repository)
    {
        if (title is not null) return title.Trim();
        if (prompt is not null && FirstLine(prompt) is { Length: > 0 } line) return line;
        return repository is null ? "New session" : RepositoryName(repository.Url);
    }

    private static string FirstLine(string prompt)
    {
        var line = new string([.. prompt.Trim().Split('\n')[0].Trim().Where(character => !char.IsControl(character))]);
        if (line.Length <= DerivedLength) return line;
        var cut = char.IsHighSurrogate(line[DerivedLength - 2]) ? DerivedLength - 2 : DerivedLength - 1;
        return string.Concat(line.AsSpan(0, cut).TrimEnd(), "…");
    }

    private static string RepositoryName(string url)
    {
        var name = Uri.UnescapeDataString(new Uri(url).AbsolutePath.TrimEnd('/').Split('/')[^1]);
        if (name.EndsWith(".git", StringComparison.Ordinal)) name = name[..^4];
        return name.Length is > 0 and <= MaxLength && !name.Any(char.IsControl) ? name : new Uri(url).Host;
    }
}
