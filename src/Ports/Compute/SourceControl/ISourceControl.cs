using Coordinator.Ports.Session;

namespace Coordinator.Ports.Compute;

/// <summary>
/// Looks into repositories without a box, and mints short-lived credentials for them. URLs are given by users: every
/// implementation must refuse hosts the egress policy refuses, after resolution, and must not follow redirects elsewhere.
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

    /// <summary>A credential for a repository's host, or null when the organization has none for it (public access).</summary>
    ValueTask<GitCredential?> MintCredentialAsync(OrganizationId organization, string host, CancellationToken cancellationToken);
}

public sealed record RepositoryState(string Branch, string Commit);

/// <summary>Paths use forward slashes, relative to the root. <see cref="Contents"/> holds the wanted files that exist.</summary>
public sealed record RepositoryTree(string Branch, string Commit, IReadOnlyList<string> Paths, IReadOnlyDictionary<string, string> Contents);

/// <summary>User name and password for git over HTTPS. Never assume a length or form of the password.</summary>
public sealed record GitCredential(string Username, string Password, DateTimeOffset? ExpiresAt)
{
    public override string ToString() => $"git credential of {Username}";
}
