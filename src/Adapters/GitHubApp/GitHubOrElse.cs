using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;

namespace Coordinator.Adapters.GitHubApp;

/// <summary>The app for the accounts an organization may use it for, and another source control for everything else.</summary>
internal sealed class GitHubOrElse(GitHubSourceControl gitHub, ISourceControl others) : ISourceControl
{
    public ValueTask<Result<RepositoryState>> ResolveAsync(OrganizationId organization, RepositoryRef repository, CancellationToken cancellationToken) =>
        Of(organization, repository).ResolveAsync(organization, repository, cancellationToken);

    public ValueTask<Result<RepositoryTree>> ReadTreeAsync(OrganizationId organization, RepositoryRef repository, Func<string, bool> wanted, CancellationToken cancellationToken) =>
        Of(organization, repository).ReadTreeAsync(organization, repository, wanted, cancellationToken);

    public ValueTask<GitCredential?> MintCredentialAsync(OrganizationId organization, RepositoryRef repository, CancellationToken cancellationToken) =>
        Of(organization, repository).MintCredentialAsync(organization, repository, cancellationToken);

    public ValueTask<Result<IReadOnlyList<string>>> ListBranchesAsync(OrganizationId organization, RepositoryRef repository, int limit, CancellationToken cancellationToken) =>
        Of(organization, repository).ListBranchesAsync(organization, repository, limit, cancellationToken);

    public ValueTask<Result<PullRequest>> OpenPullRequestAsync(OrganizationId organization, RepositoryRef repository, PullRequestDraft draft, CancellationToken cancellationToken) =>
        Of(organization, repository).OpenPullRequestAsync(organization, repository, draft, cancellationToken);

    private ISourceControl Of(OrganizationId organization, RepositoryRef repository) => gitHub.Serves(organization, repository) ? gitHub : others;
}
