namespace Coordinator.Ports.Identity;

/// <summary>
/// Organizations, members, API keys, stored secrets, and the durable memory of idempotent requests. The only resolver
/// of "which tenant is this call for". Every method but the sign-in ones is bound to one organization; what belongs to
/// another is as if it did not exist. Failures of the store are <see cref="PortException"/>s.
/// </summary>
[Port(Plane.Identity)]
public interface ITenantDirectory
{
    /// <summary>
    /// The one tenant resolver. With <paramref name="requested"/> null it is the key's organization, or a person's only
    /// one. Problems: <c>organization_required</c> (400) when a person is in several; <c>organization_not_found</c>
    /// (404) when the principal is not a member, or the organization does not exist: the two cannot be told apart.
    /// An API key acts with its own role or its maker's present one, whichever is lower; a revoked key, or one whose
    /// maker left, is a member of nothing. Where the principal brings its <see cref="CallerStanding"/>, that is what counts.
    /// </summary>
    ValueTask<Result<TenantContext>> ResolveAsync(AuthenticatedPrincipal principal, OrganizationId? requested, CancellationToken cancellationToken);

    /// <summary>Makes the first user and their organization if there is none yet; otherwise returns the first owner. Race-safe.</summary>
    ValueTask<OwnerAccount> EnsureOwnerAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Makes an organization with one member, its owner. Idempotent by id: made again for the same owner it is left as it is.
    /// </summary>
    /// <exception cref="PortException">
    /// <see cref="PortFailureKind.Rejected"/>: there is no such person, or the id is another owner's organization.
    /// </exception>
    ValueTask CreateOrganizationAsync(NewOrganization organization, CancellationToken cancellationToken);

    /// <summary>A person by id; null when there is none.</summary>
    ValueTask<UserInfo?> FindUserAsync(UserId user, CancellationToken cancellationToken);

    /// <summary>The organizations a principal is in, oldest membership first; an API key is in its own one only.</summary>
    ValueTask<IReadOnlyList<OrganizationInfo>> ListOrganizationsAsync(Principal principal, CancellationToken cancellationToken);

    /// <summary>
    /// Stores the hash of a credential. An API key names its organization, the other kinds name none.
    /// </summary>
    /// <exception cref="PortException">
    /// <see cref="PortFailureKind.Rejected"/>: the user is not there or (API keys) not in the organization, or the id or
    /// the hash is taken, or the API key's <see cref="StoredCredential.Parent"/> is revoked, or none of the organization.
    /// </exception>
    ValueTask AddCredentialAsync(StoredCredential credential, CancellationToken cancellationToken);

    /// <summary>
    /// Finds a credential, live or not, by the SHA-256 of its secret; an implementation may look its holder's standing up with it,
    /// so that one look answers both questions that every request asks.
    /// </summary>
    ValueTask<StoredCredential?> FindCredentialAsync(CredentialKind kind, ReadOnlyMemory<byte> hash, CancellationToken cancellationToken);

    /// <summary>Marks a one-time credential as spent; true for exactly one caller.</summary>
    ValueTask<bool> SpendCredentialAsync(Guid id, DateTimeOffset at, CancellationToken cancellationToken);

    /// <summary>
    /// Revokes any credential by its id; idempotent. With an API key goes every key that was made with it, directly or not, also one
    /// that is being made in the same moment.
    /// </summary>
    ValueTask RevokeCredentialAsync(Guid id, DateTimeOffset at, CancellationToken cancellationToken);

    /// <summary>The organization's API keys that are not revoked (expired ones included), newest first.</summary>
    ValueTask<IReadOnlyList<StoredCredential>> ListApiKeysAsync(TenantContext tenant, CancellationToken cancellationToken);

    /// <summary>Writes a sealed secret under a name (<c>[a-z0-9._/-]{1,120}</c>), replacing what was there.</summary>
    ValueTask PutSecretAsync(OrganizationId organization, StoredSecret secret, CancellationToken cancellationToken);

    /// <summary>The sealed secret of this name, or null.</summary>
    ValueTask<StoredSecret?> FindSecretAsync(OrganizationId organization, string name, CancellationToken cancellationToken);

    /// <summary>All of an organization's sealed secrets, by name.</summary>
    ValueTask<IReadOnlyList<StoredSecret>> ListSecretsAsync(OrganizationId organization, CancellationToken cancellationToken);

    /// <summary>False when there was none.</summary>
    ValueTask<bool> DeleteSecretAsync(OrganizationId organization, string name, CancellationToken cancellationToken);

    /// <summary>
    /// Claims (organization, principal scope, key). The first caller gets <see cref="RequestClaim.Mine"/>; a later one
    /// with the same body hash gets the stored answer, or <see cref="RequestClaim.InProgress"/> while there is none; with another
    /// body hash, <see cref="RequestClaim.Differs"/>. A claim without an answer is held for <paramref name="held"/>, by the
    /// directory's own clock and not by its callers', and as long again after each <see cref="HoldRequestAsync"/>: then the same request takes
    /// it over, and the one before can neither hold, answer nor abandon it any more.
    /// </summary>
    ValueTask<RequestClaim> ClaimRequestAsync(OrganizationId organization, string scope, string key, ReadOnlyMemory<byte> bodyHash, DateTimeOffset now, TimeSpan held, CancellationToken cancellationToken);

    /// <summary>Holds a claim for <paramref name="held"/> from now on; false when it is not the caller's any more.</summary>
    ValueTask<bool> HoldRequestAsync(OrganizationId organization, string scope, string key, Guid claim, TimeSpan held, CancellationToken cancellationToken);

    /// <summary>
    /// Stores the answer of a request whose claim is the caller's still, and else nothing; kept 24 hours. Where
    /// <paramref name="repeatsRecognised"/>, the same request made again does nothing anew and says the same, and a crash of the store may take the
    /// answer with it; else it is durable when this returns.
    /// </summary>
    ValueTask CompleteRequestAsync(OrganizationId organization, string scope, string key, Guid claim, StoredAnswer answer, bool repeatsRecognised, CancellationToken cancellationToken);

    /// <summary>Gives the caller's claim back, because the request failed in a way that a retry may mend.</summary>
    ValueTask AbandonRequestAsync(OrganizationId organization, string scope, string key, Guid claim, CancellationToken cancellationToken);
}

/// <summary>The first owner and their organization; <see cref="Created"/> when this call made them.</summary>
public sealed record OwnerAccount(UserId User, OrganizationId Organization, bool Created);

/// <summary>An organization to be made, and the person who will own it.</summary>
public sealed record NewOrganization(OrganizationId Id, string Name, UserId Owner, DateTimeOffset CreatedAt);

/// <summary>A person, as others see them.</summary>
public sealed record UserInfo(UserId Id, string DisplayName);

/// <summary>An organization, what the asking principal may do in it, and when it was made.</summary>
public sealed record OrganizationInfo(OrganizationId Id, string Name, Role Role, DateTimeOffset CreatedAt);

/// <summary>A credential at rest: never the secret, only its SHA-256. <see cref="Hint"/> is its last four characters.</summary>
public sealed record StoredCredential(
    Guid Id,
    CredentialKind Kind,
    byte[] Hash,
    string Hint,
    string Name,
    UserId User,
    OrganizationId? Organization,
    Role Role,
    DateTimeOffset CreatedAt,
    DateTimeOffset? ExpiresAt,
    DateTimeOffset? SpentAt,
    DateTimeOffset? RevokedAt)
{
    /// <summary>The API key that this one was made with, which ends it when it is revoked; null: a person made it.</summary>
    public Guid? Parent { get; init; }

    /// <summary>What the same look found of its holder; null when it was not looked for. Never stored.</summary>
    public CallerStanding? Standing { get; init; }
}

/// <summary>
/// A caller's present name (null: the one it presents itself with) and where it is a member, with the role that it has there,
/// oldest membership first. True at the moment of the look, and kept for the request that it was made for, no longer.
/// </summary>
public sealed record CallerStanding(string? Name, IReadOnlyList<OrganizationInfo> Places);

/// <summary>A tenant secret at rest: sealed by <see cref="ITenantVault"/>.</summary>
public sealed record StoredSecret(string Name, SealedSecret Sealed, string Hint, DateTimeOffset UpdatedAt);

/// <summary>What a request was answered, to be answered again as it was.</summary>
public sealed record StoredAnswer(int Status, string ContentType, byte[] Body);

/// <summary>The outcome of claiming an idempotent request.</summary>
public abstract record RequestClaim
{
    private RequestClaim()
    {
    }

    /// <summary>Nobody has it: the caller does the work. The claim is known by <paramref name="Id"/>.</summary>
    public sealed record Mine(Guid Id) : RequestClaim;

    /// <summary>It was done; this is the answer.</summary>
    public sealed record Answered(StoredAnswer Answer) : RequestClaim;

    /// <summary>Another is doing it now, by the claim <paramref name="Claim"/>; null when that was given back meanwhile, or is not known.</summary>
    public sealed record InProgress(Guid? Claim) : RequestClaim;

    /// <summary>The key was used for something else.</summary>
    public sealed record Differs : RequestClaim;
}
