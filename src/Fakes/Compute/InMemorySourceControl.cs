using System.Collections.Concurrent;
using System.Text;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;

namespace Coordinator.Fakes;

/// <summary>
/// Repositories that a test puts there, by URL. Private ones are found only with the organization's credential for the
/// host; hosts can be made to refuse, to be refused, and not to answer.
/// </summary>
public sealed class InMemorySourceControl : ISourceControl
{
    private const int LongestContent = 256 * 1024;

    private readonly ConcurrentDictionary<string, Repository> repositories = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(OrganizationId Organization, string Host), GitCredential> credentials = new();

    /// <summary>Faults of every method.</summary>
    public FaultSwitch Faults { get; } = new();

    /// <summary>Hosts that no tenant may reach.</summary>
    public ISet<string> RefusedHosts { get; } = new HashSet<string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Hosts that do not answer.</summary>
    public ISet<string> SilentHosts { get; } = new HashSet<string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>How long minted credentials are good for; null: they do not expire.</summary>
    public TimeSpan? CredentialLifetime { get; set; }

    /// <summary>What the expiry of credentials goes by.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Pull requests that are open anywhere.</summary>
    public int OpenPullRequests => repositories.Values.Sum(repository => repository.PullRequests.Count);

    /// <summary>The most files a repository is listed with.</summary>
    public int MaxFiles { get; set; } = 200_000;

    /// <summary>Puts a branch with these files there. The first branch is the default one. With <paramref name="password"/> it is private.</summary>
    public void AddBranch(string url, string branch, string commit, IReadOnlyDictionary<string, string> files, string? password = null)
    {
        var repository = repositories.GetOrAdd(url, _ => new(branch, password));
        repository.Branches[branch] = (commit, files);
    }

    /// <summary>From now on a private repository is for those with another password.</summary>
    public void ChangePassword(string url, string password) => repositories[url].Password = password;

    public void SetCredential(OrganizationId organization, string host, GitCredential credential) => credentials[(organization, host.ToLowerInvariant())] = credential;

    public ValueTask<Result<RepositoryState>> ResolveAsync(OrganizationId organization, RepositoryRef repository, CancellationToken cancellationToken) =>
        Faults.Run(() => Resolve(organization, repository, out _), cancellationToken);

    public ValueTask<Result<RepositoryTree>> ReadTreeAsync(OrganizationId organization, RepositoryRef repository, Func<string, bool> wanted, CancellationToken cancellationToken) =>
        Faults.Run<Result<RepositoryTree>>(() =>
        {
            var state = Resolve(organization, repository, out var files);
            if (!state.IsSuccess) return state.Problem;
            if (files.Count > MaxFiles) return new Problem("repository_too_large", $"The repository has more than {MaxFiles} files.", ProblemKind.TooLarge);
            return new RepositoryTree(state.Value.Branch, state.Value.Commit, [.. files.Keys], files.Where(file => wanted(file.Key)).ToDictionary(file => file.Key, file => Cut(file.Value), StringComparer.Ordinal));
        }, cancellationToken);

    public ValueTask<GitCredential?> MintCredentialAsync(OrganizationId organization, RepositoryRef repository, CancellationToken cancellationToken) =>
        Faults.Run(() => Uri.TryCreate(repository.Url, UriKind.Absolute, out var url) ? Minted(credentials.GetValueOrDefault((organization, url.Host.ToLowerInvariant()))) : null, cancellationToken);

    public ValueTask<Result<IReadOnlyList<string>>> ListBranchesAsync(OrganizationId organization, RepositoryRef repository, int limit, CancellationToken cancellationToken) =>
        Faults.Run<Result<IReadOnlyList<string>>>(
            () => Resolve(organization, repository, out _).Problem is { } problem ? problem : repositories[repository.Url].Branches.Keys.Order(StringComparer.Ordinal).Take(limit).ToArray(), cancellationToken);

    public ValueTask<Result<PullRequest>> OpenPullRequestAsync(OrganizationId organization, RepositoryRef repository, PullRequestDraft draft, CancellationToken cancellationToken) =>
        Faults.Run<Result<PullRequest>>(() =>
        {
            var (head, target) = (Resolve(organization, repository with { Branch = draft.Head }, out _), Resolve(organization, repository with { Branch = draft.Base }, out _));
            if ((head.Problem ?? target.Problem) is { } problem) return problem;
            if (head.Value.Commit == target.Value.Commit) return new Problem("pull_request_refused", $"'{draft.Head}' has nothing that '{draft.Base}' has not.");
            return repositories[repository.Url].Open(draft, repository.Url);
        }, cancellationToken);

    private Result<RepositoryState> Resolve(OrganizationId organization, RepositoryRef wanted, out IReadOnlyDictionary<string, string> files)
    {
        files = new Dictionary<string, string>();
        if (!Uri.TryCreate(wanted.Url, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https") || url.UserInfo.Length > 0 || url.AbsolutePath.Length < 2)
            return new Problem("repository_url_invalid", "Use an absolute http or https URL without a credential.");
        if (RefusedHosts.Contains(url.Host)) return new Problem("repository_host_refused", $"{url.Host} is not on the public internet.");
        if (SilentHosts.Contains(url.Host)) return new Problem("repository_unreachable", $"{url.Host} does not answer.", ProblemKind.Unavailable, TimeSpan.FromSeconds(5));

        var credential = credentials.GetValueOrDefault((organization, url.Host.ToLowerInvariant()));
        var isThere = repositories.TryGetValue(wanted.Url, out var repository);
        if (isThere && repository!.Password is { } password && credential?.Password != password)
        {
            if (credential is not null) return new Problem("repository_credential_refused", $"{url.Host} refused the credential in the secret git/{url.Host}.");
            isThere = false;
        }

        if (!isThere) return new Problem("repository_not_found", $"{url.Host} has no such repository, or it is private.");
        var branch = wanted.Branch ?? repository!.DefaultBranch;
        if (!repository!.Branches.TryGetValue(branch, out var head)) return new Problem("branch_not_found", $"The repository has no branch '{branch}'.");
        files = head.Files;
        return new RepositoryState(branch, head.Commit);
    }

    /// <summary>A credential that expires is minted anew for everybody who asks.</summary>
    private GitCredential? Minted(GitCredential? credential) => credential is not null && CredentialLifetime is { } lifetime ? credential with { ExpiresAt = Time.GetUtcNow() + lifetime } : credential;

    private static string Cut(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return bytes.Length <= LongestContent ? text : Encoding.UTF8.GetString(bytes, 0, LongestContent).TrimEnd('\uFFFD');
    }

    private sealed class Repository(string defaultBranch, string? password)
    {
        public string DefaultBranch { get; } = defaultBranch;

        public string? Password { get; set; } = password;

        public ConcurrentDictionary<(string Head, string Base), PullRequest> PullRequests { get; } = new();

        public PullRequest Open(PullRequestDraft draft, string url) =>
            PullRequests.GetOrAdd((draft.Head, draft.Base), _ => new(PullRequests.Count + 1, new($"{url}/pull/{PullRequests.Count + 1}")));

        public ConcurrentDictionary<string, (string Commit, IReadOnlyDictionary<string, string> Files)> Branches { get; } = new(StringComparer.Ordinal);
    }
}
