using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Coordinator.Adapters.GitHubApp.Api;
using Coordinator.Adapters.GitHubApp.Tokens;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Options;

namespace Coordinator.Adapters.GitHubApp;

/// <summary>
/// Repositories on GitHub by its REST API, as a GitHub App. An organization that may not use the app for an account sees
/// of it what everybody sees.
/// </summary>
internal sealed class GitHubSourceControl(GitHubApi api, InstallationTokens tokens, IOptions<GitHubAppOptions> options) : ISourceControl
{
    private const string TokenUser = "x-access-token";
    private const string SymbolicLink = "120000";
    private const int LongestContent = 256 * 1024;
    private const int LargestRead = 1024 * 1024;
    private const int PageSize = 100;
    private const int MostPages = 100;
    private const int ReadsAtOnce = 4;

    /// <summary>True when the repository is on this host and the organization may use the app for its account.</summary>
    public bool Serves(OrganizationId organization, RepositoryRef repository) =>
        GitHubRepository.TryParse(repository.Url, options.Value.Host, out var found, out _) && options.Value.Serves(organization, found.Owner);

    public async ValueTask<Result<RepositoryState>> ResolveAsync(OrganizationId organization, RepositoryRef repository, CancellationToken cancellationToken)
    {
        if (!GitHubRepository.TryParse(repository.Url, options.Value.Host, out var found, out var problem)) return problem;
        if (repository.Branch is { } named && !BranchName.IsValid(named)) return NoBranch(named);
        var about = await AskAsync(organization, found, new(HttpMethod.Get, found.Path), cancellationToken);
        if (!about.IsSuccess) return about.Problem;
        var branch = repository.Branch ?? about.Value.Read(GitHubJson.Default.RepositoryAnswer).DefaultBranch;
        var head = await AskAsync(organization, found, new(HttpMethod.Get, $"{found.Path}/branches/{Uri.EscapeDataString(branch)}"), cancellationToken);
        if (head.Problem is { Code: "repository_not_found" }) return NoBranch(branch);
        return head.IsSuccess ? new RepositoryState(branch, head.Value.Read(GitHubJson.Default.BranchAnswer).Commit.Sha) : head.Problem;
    }

    public async ValueTask<Result<RepositoryTree>> ReadTreeAsync(OrganizationId organization, RepositoryRef repository, Func<string, bool> wanted, CancellationToken cancellationToken)
    {
        var state = await ResolveAsync(organization, repository, cancellationToken);
        if (!state.IsSuccess || !GitHubRepository.TryParse(repository.Url, options.Value.Host, out var found, out _)) return state.Problem!;
        var answer = await AskAsync(organization, found, new(HttpMethod.Get, $"{found.Path}/git/trees/{state.Value.Commit}?recursive=1"), cancellationToken);
        if (!answer.IsSuccess) return answer.Problem;
        var tree = answer.Value.Read(GitHubJson.Default.TreeAnswer);
        TreeEntry[] files = [.. tree.Tree.Where(entry => entry.Type == "blob")];
        if (tree.Truncated || files.Length > options.Value.MaxFiles) return new Problem("repository_too_large", $"The repository has more than {options.Value.MaxFiles} files, or more than {options.Value.Host} lists.", ProblemKind.TooLarge);
        var contents = await ReadAsync(organization, found, [.. files.Where(file => file.Mode != SymbolicLink && file.Size <= LargestRead && wanted(file.Path))], cancellationToken);
        return contents.IsSuccess ? new RepositoryTree(state.Value.Branch, state.Value.Commit, [.. files.Select(file => file.Path)], contents.Value) : contents.Problem;
    }

    public async ValueTask<GitCredential?> MintCredentialAsync(OrganizationId organization, RepositoryRef repository, CancellationToken cancellationToken)
    {
        if (!GitHubRepository.TryParse(repository.Url, options.Value.Host, out var found, out _)) return null;
        var token = await TokenAsync(organization, found, cancellationToken);
        if (!token.IsSuccess) throw new PortException(PortFailureKind.Unavailable, token.Problem.Detail, retryAfter: token.Problem.RetryAfter);
        return token.Value is { } minted ? new GitCredential(TokenUser, minted.Token, minted.ExpiresAt) : null;
    }

    public async ValueTask<Result<IReadOnlyList<string>>> ListBranchesAsync(OrganizationId organization, RepositoryRef repository, int limit, CancellationToken cancellationToken)
    {
        if (!GitHubRepository.TryParse(repository.Url, options.Value.Host, out var found, out var problem)) return problem;
        var names = new List<string>();
        for (var page = 1; page <= MostPages; page++)
        {
            var path = string.Create(CultureInfo.InvariantCulture, $"{found.Path}/branches?per_page={PageSize}&page={page}");
            var answer = await AskAsync(organization, found, new(HttpMethod.Get, path), cancellationToken);
            if (!answer.IsSuccess) return answer.Problem;
            var branches = answer.Value.Read(GitHubJson.Default.BranchAnswerArray);
            names.AddRange(branches.Select(branch => branch.Name));
            if (branches.Length < PageSize) break;
        }

        return names.Order(StringComparer.Ordinal).Take(limit).ToArray();
    }

    public async ValueTask<Result<PullRequest>> OpenPullRequestAsync(OrganizationId organization, RepositoryRef repository, PullRequestDraft draft, CancellationToken cancellationToken)
    {
        var (head, target) = (await ResolveAsync(organization, repository with { Branch = draft.Head }, cancellationToken), await ResolveAsync(organization, repository with { Branch = draft.Base }, cancellationToken));
        if ((head.Problem ?? target.Problem) is { } problem) return problem;
        if (!GitHubRepository.TryParse(repository.Url, options.Value.Host, out var found, out var invalid)) return invalid;
        if (await FindOpenAsync(organization, found, draft, cancellationToken) is { } open) return open;
        var json = JsonSerializer.SerializeToUtf8Bytes(new PullRequestRequest(draft.Title, draft.Head, draft.Base, draft.Body), GitHubJson.Default.PullRequestRequest);
        var answer = await AskAsync(organization, found, new(HttpMethod.Post, $"{found.Path}/pulls", Json: json), cancellationToken);
        if (answer.IsSuccess && answer.Value.Status == HttpStatusCode.Created) return ToPullRequest(answer.Value.Read(GitHubJson.Default.PullRequestAnswer));

        // Somebody else may have opened the same between the look and this; then theirs is the answer.
        return answer.IsSuccess && await FindOpenAsync(organization, found, draft, cancellationToken) is { } theirs
            ? theirs
            : new Problem("pull_request_refused", $"{options.Value.Host} does not take a pull request of '{draft.Head}' into '{draft.Base}': there is nothing to merge, or the app may not open it.");
    }

    private async Task<Result<PullRequest>?> FindOpenAsync(OrganizationId organization, GitHubRepository repository, PullRequestDraft draft, CancellationToken cancellationToken)
    {
        var path = $"{repository.Path}/pulls?state=open&head={repository.Owner}:{Uri.EscapeDataString(draft.Head)}&base={Uri.EscapeDataString(draft.Base)}";
        var answer = await AskAsync(organization, repository, new(HttpMethod.Get, path), cancellationToken);
        if (!answer.IsSuccess) return answer.Problem;
        return answer.Value.Read(GitHubJson.Default.PullRequestAnswerArray) is [var first, ..] ? (Result<PullRequest>?)ToPullRequest(first) : null;
    }

    private async Task<Result<IReadOnlyDictionary<string, string>>> ReadAsync(OrganizationId organization, GitHubRepository repository, TreeEntry[] files, CancellationToken cancellationToken)
    {
        var contents = new ConcurrentDictionary<string, string>(StringComparer.Ordinal);
        Problem? failed = null;
        await Parallel.ForEachAsync(files, new ParallelOptions { MaxDegreeOfParallelism = ReadsAtOnce, CancellationToken = cancellationToken }, async (file, token) =>
        {
            if (failed is not null) return;
            var call = new ApiCall(HttpMethod.Get, $"{repository.Path}/git/blobs/{file.Sha}") { Accept = "application/vnd.github.raw+json" };
            var answer = await AskAsync(organization, repository, call, token, LongestContent);
            if (answer.IsSuccess) contents[file.Path] = Encoding.UTF8.GetString(answer.Value.Body).TrimEnd('\uFFFD');
            else failed = answer.Problem;
        });
        return failed is not null ? failed : contents;
    }

    /// <summary>Asks as the app where the organization may, and as anybody otherwise. A token that is refused is minted anew, once.</summary>
    private async Task<Result<ApiAnswer>> AskAsync(OrganizationId organization, GitHubRepository repository, ApiCall call, CancellationToken cancellationToken, int mostBytes = GitHubApi.LargestAnswer)
    {
        for (var attempt = 1; ; attempt++)
        {
            var token = await TokenAsync(organization, repository, cancellationToken);
            if (!token.IsSuccess) return token.Problem;
            var answer = await api.SendAsync(call with { Token = token.Value?.Token }, cancellationToken, mostBytes);
            if (!answer.IsSuccess || answer.Value.Status != HttpStatusCode.Unauthorized || token.Value is not { } refused) return answer.IsSuccess ? Judge(answer.Value, token.Value is not null) : answer;
            await tokens.ForgetAsync(repository, refused);
            if (attempt == 2) return Refused();
        }
    }

    private async Task<Result<TokenAnswer?>> TokenAsync(OrganizationId organization, GitHubRepository repository, CancellationToken cancellationToken) =>
        options.Value.Serves(organization, repository.Owner) ? await tokens.GetAsync(repository, cancellationToken) : (TokenAnswer?)null;

    private Result<ApiAnswer> Judge(ApiAnswer answer, bool asApp) => answer.Status switch
    {
        HttpStatusCode.NotFound or HttpStatusCode.Unauthorized or HttpStatusCode.Conflict => new Problem("repository_not_found", asApp ? $"{options.Value.Host} has no such repository, or the app does not reach it. Check the URL, and where the app is installed." : $"{options.Value.Host} has no such repository, or it is private. Check the URL; for a private one install the app, and have an operator list the account in {GitHubAppOptions.Section}:{nameof(GitHubAppOptions.Organizations)}."),
        HttpStatusCode.Forbidden => Refused(),
        >= HttpStatusCode.Ambiguous and < HttpStatusCode.BadRequest => new Problem("repository_url_invalid", $"The repository has moved: {options.Value.Host} redirects. Open the URL in a browser and use the one you end up at."),
        _ => answer,
    };

    private Problem Refused() => new("repository_credential_refused", $"{options.Value.Host} refused the app of {GitHubAppOptions.Section}: its installation may be suspended, or may not do this. Look at the installation's settings there.");

    private static Problem NoBranch(string branch) => new("branch_not_found", $"The repository has no branch '{(branch.Length > 100 ? branch[..100] + "…" : branch)}'.");

    private static PullRequest ToPullRequest(PullRequestAnswer answer) => new(answer.Number, answer.HtmlUrl);
}
