using System.Diagnostics.CodeAnalysis;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.SessionAccess.Sessions;

/// <summary>Syntax of the repositories a session may name. Whether one is there is found out when its box clones it.</summary>
internal static class RepositoryAddress
{
    private const int MaxUrlLength = 2_048;
    private const int MaxBranchLength = 255;

    public static Problem? Check(RepositoryBody repository)
    {
        if (!TryUrl(repository.Url, out _))
            return new("repository_url_invalid", "A repository is an http or https URL of a host and a path, without user name, password, query or fragment. Store a credential as a secret instead.");
        return repository.Branch is { } branch && !IsBranch(branch.Trim())
            ? new("branch_invalid", "This is not the name of a git branch.")
            : null;
    }

    /// <summary>A checked repository, as the session keeps it.</summary>
    public static RepositoryRef Parse(RepositoryBody repository) => TryUrl(repository.Url, out var url)
        ? new(url.AbsoluteUri.TrimEnd('/'), repository.Branch?.Trim())
        : throw new InvalidOperationException("The repository was not checked.");

    private static bool TryUrl(string? text, [NotNullWhen(true)] out Uri? url)
    {
        url = null;
        return text is { Length: > 0 and <= MaxUrlLength }
            && !text.Any(char.IsControl)
            && Uri.TryCreate(text.Trim(), UriKind.Absolute, out url)
            && url.Scheme is "http" or "https"
            && url.Host.Length > 0
            && url.UserInfo.Length == 0
            && url.AbsolutePath.Length > 1
            && url.Query.Length == 0
            && url.Fragment.Length == 0;
    }

    /// <summary>The rules of <c>git check-ref-format --branch</c>.</summary>
    private static bool IsBranch(string name) =>
        name.Length is > 0 and <= MaxBranchLength
        && name[0] is not ('-' or '/')
        && !name.EndsWith('/') && !name.EndsWith('.') && name != "@"
        && !name.Contains("..", StringComparison.Ordinal) && !name.Contains("@{", StringComparison.Ordinal) && !name.Contains("//", StringComparison.Ordinal)
        && !name.Any(character => char.IsControl(character) || character is ' ' or '~' or '^' or ':' or '?' or '*' or '[' or '\\')
        && name.Split('/').All(part => !part.StartsWith('.') && !part.EndsWith(".lock", StringComparison.Ordinal));
}
