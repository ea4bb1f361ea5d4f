using Coordinator.Adapters.Git.Addresses;
using Coordinator.Adapters.Git.Commands;
using Coordinator.Adapters.Git.Trees;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Options;

namespace Coordinator.Adapters.Git;

/// <summary>
/// Any git host over http(s), by the git command line. Credentials are the organization's own secrets
/// (<c>git/{host}</c>) and go only over an encrypted connection, or to a host that the operator excepted.
/// </summary>
internal sealed class GitSourceControl : ISourceControl, IDisposable
{
    private readonly GitOptions options;
    private readonly GitCredentialStore credentials;
    private readonly GitCommand git;
    private readonly TreeReader trees;
    private readonly AddressExceptions exceptions;
    private readonly TimeProvider time;
    private readonly SemaphoreSlim places;

    public GitSourceControl(IOptions<GitOptions> options, GitCredentialStore credentials, TimeProvider time)
    {
        this.options = options.Value;
        this.credentials = credentials;
        this.time = time;
        git = new(this.options.Executable);
        trees = new(git, this.options, time);
        exceptions = AddressExceptions.Parse(this.options.AddressExceptions);
        places = new(this.options.AtOnce, this.options.AtOnce);
    }

    public ValueTask<Result<RepositoryState>> ResolveAsync(OrganizationId organization, RepositoryRef repository, CancellationToken cancellationToken) =>
        BoundAsync(repository, options.LookTimeout, async bound =>
        {
            var remote = await FindRemoteAsync(organization, repository, bound);
            return remote.IsSuccess ? await LookAsync(remote.Value, repository.Branch, bound) : remote.Problem;
        }, cancellationToken);

    public ValueTask<Result<RepositoryTree>> ReadTreeAsync(OrganizationId organization, RepositoryRef repository, Func<string, bool> wanted, CancellationToken cancellationToken) =>
        BoundAsync(repository, options.LookTimeout + options.FetchTimeout, async bound =>
        {
            var remote = await FindRemoteAsync(organization, repository, bound);
            if (!remote.IsSuccess) return remote.Problem;
            var state = await LookAsync(remote.Value, repository.Branch, bound);
            return state.IsSuccess ? await trees.ReadAsync(remote.Value, state.Value, wanted, bound) : state.Problem;
        }, cancellationToken);

    public async ValueTask<GitCredential?> MintCredentialAsync(OrganizationId organization, RepositoryRef repository, CancellationToken cancellationToken) =>
        RepositoryUrl.TryParse(repository.Url, out var url, out _) ? await credentials.FindAsync(organization, url.Host, cancellationToken) : null;

    public ValueTask<Result<IReadOnlyList<string>>> ListBranchesAsync(OrganizationId organization, RepositoryRef repository, int limit, CancellationToken cancellationToken) =>
        BoundAsync(repository, options.LookTimeout, async bound =>
        {
            var remote = await FindRemoteAsync(organization, repository, bound);
            return remote.IsSuccess ? await ListAsync(remote.Value, limit, bound) : remote.Problem;
        }, cancellationToken);

    /// <summary>Git itself knows branches; pull requests are its hosts' own.</summary>
    public async ValueTask<Result<PullRequest>> OpenPullRequestAsync(OrganizationId organization, RepositoryRef repository, PullRequestDraft draft, CancellationToken cancellationToken)
    {
        var state = await ResolveAsync(organization, repository with { Branch = draft.Head }, cancellationToken);
        return state.Problem ?? new("pull_request_unsupported", "No pull request can be opened there from here: only git itself is spoken with this host. Push the branch, and open it on the host's page.");
    }

    public void Dispose() => places.Dispose();

    private async ValueTask<Result<T>> BoundAsync<T>(RepositoryRef repository, TimeSpan limit, Func<CancellationToken, Task<Result<T>>> work, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(limit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            await places.WaitAsync(both.Token);
            try
            {
                return await work(both.Token);
            }
            finally
            {
                places.Release();
            }
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            var host = Uri.TryCreate(repository.Url, UriKind.Absolute, out var url) ? url.Host : "The repository's host";
            return GitFailure.Unreachable(host, $"it did not answer within {limit.TotalSeconds:0} s");
        }
    }

    private async Task<Result<RemoteRepository>> FindRemoteAsync(OrganizationId organization, RepositoryRef repository, CancellationToken cancellationToken)
    {
        if (!RepositoryUrl.TryParse(repository.Url, out var url, out var problem)) return problem;
        if (repository.Branch is { } branch && !BranchName.IsValid(branch)) return NoBranch(branch);
        var host = await PinnedHost.ResolveAsync(url, exceptions, cancellationToken);
        if (!host.IsSuccess) return host.Problem;
        var credential = url.IsEncrypted || host.Value.IsExcepted ? await credentials.FindAsync(organization, url.Host, cancellationToken) : null;
        return new RemoteRepository(url, host.Value, credential);
    }

    private async Task<Result<RepositoryState>> LookAsync(RemoteRepository remote, string? branch, CancellationToken cancellationToken)
    {
        var reference = branch is null ? "HEAD" : $"refs/heads/{branch}";
        var call = new GitCall(Path.GetTempPath(), ["ls-remote", "--symref", "--", remote.Url.Text, reference], remote.Host.CurlResolve, remote.Credential);
        var outcome = await git.RunAsync(call, cancellationToken);
        if (outcome.ExitCode != 0) return GitFailure.Explain(outcome.Errors, remote.Url, remote.Credential is not null);
        if (RemoteHead.Parse(outcome.Output, branch) is { } state) return state;
        return branch is null
            ? new Problem("branch_not_found", "The repository has no commits, or its default branch is missing. Name a branch that is there.")
            : NoBranch(branch);
    }

    private async Task<Result<IReadOnlyList<string>>> ListAsync(RemoteRepository remote, int limit, CancellationToken cancellationToken)
    {
        var call = new GitCall(Path.GetTempPath(), ["ls-remote", "--heads", "--", remote.Url.Text], remote.Host.CurlResolve, remote.Credential);
        var outcome = await git.RunAsync(call, cancellationToken);
        if (outcome.ExitCode != 0) return GitFailure.Explain(outcome.Errors, remote.Url, remote.Credential is not null);
        return RemoteHead.Branches(outcome.Output).Take(limit).ToArray();
    }

    private static Problem NoBranch(string branch) => new("branch_not_found", $"The repository has no branch '{(branch.Length > 100 ? branch[..100] + "…" : branch)}'.");
}
