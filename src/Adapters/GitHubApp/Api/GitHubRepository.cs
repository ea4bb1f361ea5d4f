using System.Diagnostics.CodeAnalysis;
using Coordinator.Ports;

namespace Coordinator.Adapters.GitHubApp.Api;

/// <summary>A repository of the host by account and name, which compare without case.</summary>
internal sealed record GitHubRepository(string Owner, string Name)
{
    private const int LongestPart = 100;

    /// <summary>Its place in the API.</summary>
    public string Path => $"repos/{Owner}/{Name}";

    /// <summary>Reads a URL that <c>git clone</c> takes; problem <c>repository_url_invalid</c>.</summary>
    public static bool TryParse(string text, string host, [NotNullWhen(true)] out GitHubRepository? repository, [NotNullWhen(false)] out Problem? problem)
    {
        (repository, problem) = (null, null);
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("https" or "http")) problem = Invalid("Use an absolute https URL.");
        else if (url.UserInfo.Length > 0) problem = Invalid("It has a user name or password in it.");
        else if (!Authority(url).Equals(host, StringComparison.OrdinalIgnoreCase)) problem = Invalid($"It is not on {host}.");
        else if (url.Query.Length > 0 || url.Fragment.Length > 0 || url.AbsolutePath.Trim('/').Split('/') is not [var owner, var name] || !IsPart(owner) || !IsPart(Bare(name))) problem = Invalid($"Use the URL that 'git clone' takes: https://{host}/account/name.");
        else repository = new(owner.ToLowerInvariant(), Bare(name).ToLowerInvariant());
        return problem is null;
    }

    private static string Authority(Uri url) => url.IsDefaultPort ? url.IdnHost : $"{url.IdnHost}:{url.Port}";

    private static string Bare(string name) => name.EndsWith(".git", StringComparison.OrdinalIgnoreCase) ? name[..^4] : name;

    private static bool IsPart(string part) =>
        part.Length is > 0 and <= LongestPart && part is not ("." or "..") && part.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');

    private static Problem Invalid(string why) => new("repository_url_invalid", why);
}
