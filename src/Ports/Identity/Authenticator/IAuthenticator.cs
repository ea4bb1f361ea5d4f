namespace Coordinator.Ports.Identity;

/// <summary>
/// Turns a presented credential into a principal or refuses it. Implementations must compare secrets in constant time,
/// must keep only hashes, and must answer the same refusal for "unknown" and "wrong".
/// </summary>
[Port(Plane.Identity)]
public interface IAuthenticator
{
    /// <summary>
    /// Problem <c>credential_invalid</c> (401) for anything not valid now: unknown, wrong, revoked, expired, spent.
    /// A sign-in link is spent by the call that accepts it, and by no other, however many race for it.
    /// </summary>
    /// <exception cref="PortException">The store behind it failed; nothing is decided.</exception>
    ValueTask<Result<AuthenticatedPrincipal>> AuthenticateAsync(PresentedCredential credential, CancellationToken cancellationToken);

    /// <summary>Makes a browser session for a user and returns its secret (<c>cs_…</c>), shown once.</summary>
    /// <exception cref="PortException"><see cref="PortFailureKind.Rejected"/>: there is no such user.</exception>
    ValueTask<IssuedSecret> IssueBrowserSessionAsync(UserId user, TimeSpan lifetime, CancellationToken cancellationToken);

    /// <summary>Makes a one-time sign-in link secret (<c>sl_…</c>) for a user.</summary>
    /// <exception cref="PortException"><see cref="PortFailureKind.Rejected"/>: there is no such user.</exception>
    ValueTask<IssuedSecret> IssueSignInLinkAsync(UserId user, TimeSpan lifetime, CancellationToken cancellationToken);

    /// <summary>
    /// Makes an API key and returns its secret (<c>ck_…</c>), shown once. A retry after a lost answer makes another key:
    /// a secret that was not seen cannot be shown again.
    /// </summary>
    /// <exception cref="PortException">
    /// <see cref="PortFailureKind.Rejected"/>: the user or the organization does not exist, or the key that it is made with is not live.
    /// </exception>
    ValueTask<IssuedApiKey> IssueApiKeyAsync(NewApiKey key, CancellationToken cancellationToken);

    /// <summary>Ends a browser session; idempotent.</summary>
    ValueTask RevokeBrowserSessionAsync(string secret, CancellationToken cancellationToken);
}

/// <summary>What somebody showed: the kind of credential and its text, prefix included.</summary>
public sealed record PresentedCredential(CredentialKind Kind, string Secret)
{
    /// <summary>Never prints the secret.</summary>
    public override string ToString() => $"{Kind} credential";
}

/// <summary>What was shown as proof, known by how it begins.</summary>
public enum CredentialKind
{
    /// <summary><c>ck_…</c></summary>
    ApiKey,
    /// <summary><c>cs_…</c>, from the browser's cookie.</summary>
    BrowserSession,
    /// <summary><c>sl_…</c>, spent by its first use.</summary>
    SignInLink,
}

/// <summary>A principal, and the one organization an API key is bound to (null for a person, who may be in several).</summary>
public sealed record AuthenticatedPrincipal(Principal Principal, OrganizationId? BoundOrganization)
{
    /// <summary>Where it is a member, if that was found with its credential; null: the directory is asked.</summary>
    public CallerStanding? Standing { get; init; }
}

/// <summary>A secret shown once, and when it stops working.</summary>
public sealed record IssuedSecret(string Secret, DateTimeOffset ExpiresAt)
{
    /// <summary>Never prints the secret.</summary>
    public override string ToString() => $"secret valid until {ExpiresAt:O}";
}

/// <summary>
/// An API key to be made: for one organization, by and in the name of one user, who answers for it. The caller has
/// seen to it that <see cref="Role"/> is not above the maker's. <see cref="Parent"/> is the key that it is made with, and is
/// revoked with; null when a person makes it.
/// </summary>
public sealed record NewApiKey(OrganizationId Organization, UserId User, Role Role, string Name, DateTimeOffset? ExpiresAt, ApiKeyId? Parent = null);

/// <summary>A new API key: what is stored of it, and its secret, shown once.</summary>
public sealed record IssuedApiKey(StoredCredential Stored, string Secret)
{
    /// <summary>Never prints the secret.</summary>
    public override string ToString() => $"API key {new ApiKeyId(Stored.Id)}";
}
