using System.Text.RegularExpressions;
using Coordinator.Adapters.Git.Addresses;
using Coordinator.Ports;

namespace Coordinator.Adapters.Git.Commands;

/// <summary>What git's complaint about a remote means to a person. Git's own text, which may repeat anything, is not shown.</summary>
internal static partial class GitFailure
{
    public static Problem Explain(string errors, RepositoryUrl url, bool withCredential)
    {
        var secret = GitCredentialStore.SecretOf(url.Host);
        var status = Status().Match(errors) is { Success: true } match ? int.Parse(match.Groups["status"].Value, System.Globalization.CultureInfo.InvariantCulture) : 0;
        var isAuthentication = status is 401 or 403 || Authentication().IsMatch(errors);
        if (isAuthentication && withCredential) return new("repository_credential_refused", $"{url.Host} refused the credential in the secret {secret}. It may have expired or not reach this repository; set it anew.");
        if (isAuthentication || status == 404 || NotFound().IsMatch(errors)) return NotFoundAt(url, secret, withCredential);
        if (status is >= 300 and < 400) return new("repository_url_invalid", $"The repository has moved: {url.Host} redirects. Open the URL in a browser and use the one you end up at.");
        if (BranchMissing().IsMatch(errors)) return new("branch_not_found", "The repository has no such branch.");
        return Unreachable(url.Host, Reason(errors, status));
    }

    public static Problem Unreachable(string host, string reason) =>
        new("repository_unreachable", $"{host} cannot be reached: {reason}. Try again.", ProblemKind.Unavailable, TimeSpan.FromSeconds(5));

    private static Problem NotFoundAt(RepositoryUrl url, string secret, bool withCredential) => new(
        "repository_not_found",
        withCredential
            ? $"{url.Host} has no such repository, or the credential in the secret {secret} does not reach it. Check the URL."
            : $"{url.Host} has no such repository, or it is private. Check the URL; for a private one store a token as the secret {secret}.");

    private static string Reason(string errors, int status)
    {
        if (status >= 500) return $"it answered {status}";
        if (errors.Contains("Could not resolve host", StringComparison.Ordinal)) return "its name does not resolve";
        if (errors.Contains("certificate", StringComparison.OrdinalIgnoreCase)) return "its certificate is not trusted";
        if (errors.Contains("Failed to connect", StringComparison.Ordinal)) return "nothing answers there";
        return status > 0 ? $"it answered {status}" : "the connection broke, or it does not speak git";
    }

    [GeneratedRegex(@"returned error: (?<status>\d{3})", RegexOptions.CultureInvariant)]
    private static partial Regex Status();

    [GeneratedRegex("Authentication failed|could not read (?:Username|Password)|unable to get password", RegexOptions.CultureInvariant)]
    private static partial Regex Authentication();

    [GeneratedRegex("repository '.*' not found|Repository not found|does not appear to be a git repository", RegexOptions.CultureInvariant)]
    private static partial Regex NotFound();

    [GeneratedRegex("couldn't find remote ref", RegexOptions.CultureInvariant)]
    private static partial Regex BranchMissing();
}
