using System.Security.Cryptography;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Microsoft.Extensions.Logging;

namespace Coordinator.Adapters.LocalIdentity;

/// <summary>
/// API keys, browser sessions and one-time sign-in links kept by this installation itself, as hashes in the tenant
/// directory.
/// </summary>
internal sealed partial class LocalAuthenticator(ITenantDirectory directory, TimeProvider time, ILogger<LocalAuthenticator> logger) : IAuthenticator
{
    /// <summary>One refusal for everything, so that nobody learns which part was wrong.</summary>
    private static readonly Problem Refusal = new("credential_invalid", "The credential is not valid: it is unknown, expired, used up or revoked. Sign in again or use another key.", ProblemKind.Unauthenticated);

    public async ValueTask<Result<AuthenticatedPrincipal>> AuthenticateAsync(PresentedCredential credential, CancellationToken cancellationToken)
    {
        if (!CredentialSecret.HasForm(credential.Kind, credential.Secret)) return Refusal;
        var hash = CredentialSecret.Hash(credential.Secret);
        var stored = await directory.FindCredentialAsync(credential.Kind, hash, cancellationToken);
        if (stored is null || !CryptographicOperations.FixedTimeEquals(stored.Hash, hash)) return Refusal;
        var now = time.GetUtcNow();
        if (!IsLive(stored, now))
        {
            LogNotLive(credential.Kind, stored.Id);
            return Refusal;
        }

        if (stored.Kind == CredentialKind.SignInLink && !await directory.SpendCredentialAsync(stored.Id, now, cancellationToken)) return Refusal;
        return PrincipalOf(stored);
    }

    public async ValueTask<IssuedSecret> IssueBrowserSessionAsync(UserId user, TimeSpan lifetime, CancellationToken cancellationToken) =>
        await IssuePersonalAsync(CredentialKind.BrowserSession, user, lifetime, cancellationToken);

    public async ValueTask<IssuedSecret> IssueSignInLinkAsync(UserId user, TimeSpan lifetime, CancellationToken cancellationToken) =>
        await IssuePersonalAsync(CredentialKind.SignInLink, user, lifetime, cancellationToken);

    public async ValueTask<IssuedApiKey> IssueApiKeyAsync(NewApiKey key, CancellationToken cancellationToken)
    {
        var secret = CredentialSecret.New(CredentialKind.ApiKey);
        var now = time.GetUtcNow();
        var stored = new StoredCredential(ApiKeyId.New(time).Value, CredentialKind.ApiKey, CredentialSecret.Hash(secret), CredentialSecret.HintOf(secret),
            key.Name, key.User, key.Organization, key.Role, now, key.ExpiresAt, SpentAt: null, RevokedAt: null) { Parent = key.Parent?.Value };
        await directory.AddCredentialAsync(stored, cancellationToken);
        LogIssued(CredentialKind.ApiKey, stored.Id);
        return new(stored, secret);
    }

    public async ValueTask RevokeBrowserSessionAsync(string secret, CancellationToken cancellationToken)
    {
        if (!CredentialSecret.HasForm(CredentialKind.BrowserSession, secret)) return;
        var stored = await directory.FindCredentialAsync(CredentialKind.BrowserSession, CredentialSecret.Hash(secret), cancellationToken);
        if (stored is null) return;
        await directory.RevokeCredentialAsync(stored.Id, time.GetUtcNow(), cancellationToken);
        LogRevoked(CredentialKind.BrowserSession, stored.Id);
    }

    private async ValueTask<IssuedSecret> IssuePersonalAsync(CredentialKind kind, UserId user, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(lifetime, TimeSpan.Zero);
        var person = await directory.FindUserAsync(user, cancellationToken)
            ?? throw new PortException(PortFailureKind.Rejected, $"There is no user {user} to sign in.");
        var secret = CredentialSecret.New(kind);
        var now = time.GetUtcNow();
        var stored = new StoredCredential(PrefixedId.NewValue(time), kind, CredentialSecret.Hash(secret), CredentialSecret.HintOf(secret),
            person.DisplayName, user, Organization: null, Role.Viewer, now, now + lifetime, SpentAt: null, RevokedAt: null);
        await directory.AddCredentialAsync(stored, cancellationToken);
        LogIssued(kind, stored.Id);
        return new(secret, now + lifetime);
    }

    private static bool IsLive(StoredCredential stored, DateTimeOffset now) =>
        stored.RevokedAt is null && stored.SpentAt is null && !(stored.ExpiresAt <= now);

    private static AuthenticatedPrincipal PrincipalOf(StoredCredential stored) => stored.Kind == CredentialKind.ApiKey
        ? new(new(PrincipalKind.ApiKey, new ApiKeyId(stored.Id).ToString(), stored.Name), stored.Organization) { Standing = stored.Standing }
        : new(new(PrincipalKind.User, stored.User.ToString(), stored.Name), BoundOrganization: null) { Standing = stored.Standing };
}
