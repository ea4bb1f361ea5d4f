using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.Git.Addresses;

/// <summary>A repository that may be talked to: its URL, its judged addresses and the credential for it, if any.</summary>
internal sealed record RemoteRepository(RepositoryUrl Url, PinnedHost Host, GitCredential? Credential);
