using System.Diagnostics.CodeAnalysis;
using Coordinator.Ports;

namespace Coordinator.Adapters.Git.Addresses;

/// <summary>A repository's URL that may be handed to git: absolute, http or https, and without a credential.</summary>
internal sealed record RepositoryUrl(string Text, string Host, int Port, bool IsEncrypted)
{
    private const int LongestText = 2_048;

    public static bool TryParse(string text, [NotNullWhen(true)] out RepositoryUrl? url, [NotNullWhen(false)] out Problem? problem)
    {
        (url, problem) = (null, null);
        if (text.Length is 0 or > LongestText || text.Any(c => char.IsControl(c) || char.IsWhiteSpace(c))) problem = Invalid("It is empty, too long, or has spaces in it.");
        else if (IsSsh(text)) problem = Invalid("Repositories are reached over https, not ssh: use the https URL, and store a token as the secret git/{host} when it is private.");
        else if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("https" or "http") || uri.Host.Length == 0) problem = Invalid("Use an absolute https (or http) URL.");
        else if (uri.UserInfo.Length > 0) problem = Invalid($"It has a user name or password in it. Store the credential as the secret git/{uri.IdnHost} instead.");
        else if (uri.Query.Length > 0 || uri.Fragment.Length > 0 || uri.AbsolutePath.Trim('/').Length == 0) problem = Invalid("Use the URL that 'git clone' takes: host and path, nothing after it.");
        else url = new(new UriBuilder(uri) { Host = uri.IdnHost }.Uri.AbsoluteUri, uri.IdnHost, uri.Port, uri.Scheme == Uri.UriSchemeHttps);
        return problem is null;
    }

    /// <summary><c>ssh://…</c>, <c>git@host:path</c> and the like.</summary>
    private static bool IsSsh(string text) =>
        text.StartsWith("ssh:", StringComparison.OrdinalIgnoreCase)
        || text.StartsWith("git+ssh:", StringComparison.OrdinalIgnoreCase)
        || (!text.Contains("://", StringComparison.Ordinal) && text.Contains('@', StringComparison.Ordinal) && text.Contains(':', StringComparison.Ordinal));

    private static Problem Invalid(string why) => new("repository_url_invalid", $"The repository's URL cannot be used. {why}");
}
