using System.Text.RegularExpressions;
using Coordinator.Ports;

namespace Coordinator.Sandbox.Boot;

/// <summary>
/// Tells from what git printed (with <c>LC_ALL=C</c>) why a clone failed. Order matters: a missing branch is told apart
/// before a missing repository, and a refusal of the proxy before an unreachable host.
/// </summary>
internal static partial class GitFailure
{
    public static Problem Classify(string output, string url, string? branch)
    {
        if (branch is not null && MissingBranch().IsMatch(output)) return BootProblems.BranchNotFound(branch);
        if (ProxyRefusal().IsMatch(output)) return BootProblems.RepositoryUnreachable($"The box may not reach {HostOf(url)}: it is not on the list of allowed hosts.");
        if (IsPlain(url) && Forbidden().IsMatch(output)) return BootProblems.RepositoryUnreachable($"The box may not reach {HostOf(url)}: it is not on the list of allowed hosts, or forbids access itself.");
        if (LostCredential().IsMatch(output)) return BootProblems.RepositoryUnreachable($"The credential for {HostOf(url)} could not be loaded, so that {url} was not cloned. Try again; when it stays so, the log of the host says why.");
        if (MissingRepository().IsMatch(output)) return BootProblems.RepositoryNotFound($"There is no repository at {url}, or it is private and no credential for {HostOf(url)} is set.");
        return BootProblems.RepositoryUnreachable($"{url} could not be cloned: {LastLine(output)}");
    }

    /// <summary>The proxy answers a plain request itself, so git cannot tell its refusal from the server's.</summary>
    private static bool IsPlain(string url) => url.StartsWith("http://", StringComparison.OrdinalIgnoreCase);

    private static string HostOf(string url) => Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Host.Length > 0 ? uri.Host : url;

    private static string LastLine(string output) =>
        output.Split(['\n', '\r'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .LastOrDefault(line => line.StartsWith("fatal:", StringComparison.Ordinal) || line.StartsWith("error:", StringComparison.Ordinal)) ?? "git said nothing more";

    [GeneratedRegex(@"Remote branch .* not found in upstream|Could not find remote branch", RegexOptions.NonBacktracking)]
    private static partial Regex MissingBranch();

    [GeneratedRegex(@"CONNECT tunnel failed, response 403|HTTP code 403 from proxy|requested URL returned error: 403.*proxy", RegexOptions.NonBacktracking)]
    private static partial Regex ProxyRefusal();

    /// <summary>What git says when <c>git-credential</c> could not tell whether there is one.</summary>
    [GeneratedRegex("credential helper .* told us to quit", RegexOptions.NonBacktracking)]
    private static partial Regex LostCredential();

    [GeneratedRegex("requested URL returned error: 403", RegexOptions.NonBacktracking)]
    private static partial Regex Forbidden();

    [GeneratedRegex(@"Repository not found|repository '.*' (?:does not exist|not found)|does not appear to be a git repository|returned error: 40[134]|Authentication failed|could not read (?:Username|Password)|terminal prompts disabled|remote: Not Found|HTTP Basic: Access denied|repository not exported", RegexOptions.NonBacktracking | RegexOptions.IgnoreCase)]
    private static partial Regex MissingRepository();
}
