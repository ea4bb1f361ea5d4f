using Coordinator.Ports.Session;

namespace Coordinator.Ports.Compute;

/// <summary>
/// Looks into repositories without a box, and mints short-lived credentials for them. URLs are given by users: every
/// implementation must refuse hosts the egress policy refuses, after resolution, and must not follow redirects elsewhere.
/// <para>
/// Nothing here pushes: a box does, with a credential that is minted when git asks for one, so that none expires in its
/// middle; a push that the host refuses (one that is no fast-forward) is refused by git, where the agent sees it.
/// </para>
/// </summary>
[Port(Plane.Compute)]
public interface ISourceControl
{
    /// <summary>
    /// Finds the repository and the branch. Problems: <c>repository_url_invalid</c>, <c>repository_host_refused</c>,
    /// <c>repository_not_found</c> (absent or private: not told apart), <c>repository_credential_refused</c>,
    /// <c>branch_not_found</c>, <c>repository_unreachable</c> (kind Unavailable).
    /// </summary>
    ValueTask<Result<RepositoryState>> ResolveAsync(OrganizationId organization, RepositoryRef repository, CancellationToken cancellationToken);

    /// <summary>
    /// Lists every file of the branch's head, with the text of those that <paramref name="wanted"/> picks (each cut at
    /// 256 KiB; those above 1 MiB may be left out). Problems as for <see cref="ResolveAsync"/>, and <c>repository_too_large</c>.
    /// </summary>
    ValueTask<Result<RepositoryTree>> ReadTreeAsync(OrganizationId organization, RepositoryRef repository, Func<string, bool> wanted, CancellationToken cancellationToken);

    /// <summary>
    /// A credential to clone and push with, good for this repository and, where the host can tell them apart, for no other;
    /// or null when the organization has none for it (public access). One that expires does so no sooner than in a few
    /// minutes. However many ask at once, the host is asked once.
    /// </summary>
    /// <exception cref="PortException"><see cref="PortFailureKind.Limited"/>, with how long to wait; <see cref="PortFailureKind.Unauthorized"/>: the host refuses this installation.</exception>
    ValueTask<GitCredential?> MintCredentialAsync(OrganizationId organization, RepositoryRef repository, CancellationToken cancellationToken);

    /// <summary>The names of branches, in order, at most <paramref name="limit"/>. Problems as for <see cref="ResolveAsync"/>.</summary>
    ValueTask<Result<IReadOnlyList<string>>> ListBranchesAsync(OrganizationId organization, RepositoryRef repository, int limit, CancellationToken cancellationToken);

    /// <summary>
    /// Asks for one branch to be merged into another. Idempotent: while one between the two is open, it is the answer.
    /// Problems as for <see cref="ResolveAsync"/>, <c>pull_request_unsupported</c> where a host has none that could be opened
    /// from here, and <c>pull_request_refused</c>: there is nothing to merge, or the host does not take it.
    /// </summary>
    ValueTask<Result<PullRequest>> OpenPullRequestAsync(OrganizationId organization, RepositoryRef repository, PullRequestDraft draft, CancellationToken cancellationToken);
}

/// <summary>What is asked for: to merge <see cref="Head"/> into <see cref="Base"/>, both branches of the repository.</summary>
public sealed record PullRequestDraft(string Head, string Base, string Title, string Body);

/// <summary>A pull request that is open, and where a person finds it.</summary>
public sealed record PullRequest(int Number, Uri Url);

/// <summary>A branch that is there, and the hash of its newest commit.</summary>
public sealed record RepositoryState(string Branch, string Commit);

/// <summary>Paths use forward slashes, relative to the root. <see cref="Contents"/> holds the wanted files that exist.</summary>
public sealed record RepositoryTree(string Branch, string Commit, IReadOnlyList<string> Paths, IReadOnlyDictionary<string, string> Contents);

/// <summary>User name and password for git over HTTPS. Never assume a length or form of the password.</summary>
public sealed record GitCredential(string Username, string Password, DateTimeOffset? ExpiresAt)
{
    /// <summary>Never prints the password.</summary>
    public override string ToString() => $"git credential of {Username}";
}
