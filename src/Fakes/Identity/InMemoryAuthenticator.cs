using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Coordinator.Ports;
using Coordinator.Ports.Identity;

namespace Coordinator.Fakes;

/// <summary>
/// An authenticator that remembers browser sessions and sign-in links itself, and keeps API keys in the given directory,
/// where they can be listed and revoked. Its secrets are counted, not random.
/// </summary>
public sealed class InMemoryAuthenticator(ITenantDirectory directory, TimeProvider time) : IAuthenticator
{
    private static readonly Problem Refusal = new("credential_invalid", "The credential is not valid.", ProblemKind.Unauthenticated);
    private readonly Lock gate = new();
    private readonly Dictionary<string, Personal> personal = new(StringComparer.Ordinal);
    private int issued;

    /// <summary>Faults of every method.</summary>
    public FaultSwitch Faults { get; } = new();

    public async ValueTask<Result<AuthenticatedPrincipal>> AuthenticateAsync(PresentedCredential credential, CancellationToken cancellationToken)
    {
        if (credential.Kind != CredentialKind.ApiKey) return await Faults.Run(() => AuthenticatePerson(credential), cancellationToken);
        var key = await directory.FindCredentialAsync(CredentialKind.ApiKey, HashOf(credential.Secret), cancellationToken);
        return await Faults.Run<Result<AuthenticatedPrincipal>>(() =>
        {
            if (key is null || key.RevokedAt is not null || key.ExpiresAt <= time.GetUtcNow()) return Refusal;
            return new AuthenticatedPrincipal(new(PrincipalKind.ApiKey, new ApiKeyId(key.Id).ToString(), key.Name), key.Organization);
        }, cancellationToken);
    }

    public async ValueTask<IssuedSecret> IssueBrowserSessionAsync(UserId user, TimeSpan lifetime, CancellationToken cancellationToken) =>
        await IssueAsync(CredentialKind.BrowserSession, "cs_", user, lifetime, cancellationToken);

    public async ValueTask<IssuedSecret> IssueSignInLinkAsync(UserId user, TimeSpan lifetime, CancellationToken cancellationToken) =>
        await IssueAsync(CredentialKind.SignInLink, "sl_", user, lifetime, cancellationToken);

    public async ValueTask<IssuedApiKey> IssueApiKeyAsync(NewApiKey key, CancellationToken cancellationToken)
    {
        var secret = NextSecret("ck_");
        var stored = new StoredCredential(ApiKeyId.New(time).Value, CredentialKind.ApiKey, HashOf(secret), secret[^4..], key.Name, key.User, key.Organization, key.Role,
            time.GetUtcNow(), key.ExpiresAt, null, null) { Parent = key.Parent?.Value };
        await directory.AddCredentialAsync(stored, cancellationToken);
        return await Faults.Run(() => new IssuedApiKey(stored, secret), cancellationToken);
    }

    public ValueTask RevokeBrowserSessionAsync(string secret, CancellationToken cancellationToken) =>
        Faults.Run(() =>
        {
            lock (gate)
            {
                if (personal.TryGetValue(secret, out var found) && found.Kind == CredentialKind.BrowserSession) personal.Remove(secret);
            }
        }, cancellationToken);

    private Result<AuthenticatedPrincipal> AuthenticatePerson(PresentedCredential credential)
    {
        lock (gate)
        {
            if (!personal.TryGetValue(credential.Secret, out var found) || found.Kind != credential.Kind || found.ExpiresAt <= time.GetUtcNow()) return Refusal;
            if (found.Kind == CredentialKind.SignInLink) personal.Remove(credential.Secret);
            return new AuthenticatedPrincipal(found.Principal, null);
        }
    }

    private async ValueTask<IssuedSecret> IssueAsync(CredentialKind kind, string prefix, UserId user, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        var person = await directory.FindUserAsync(user, cancellationToken) ?? throw new PortException(PortFailureKind.Rejected, "There is no such user.");
        return await Faults.Run(() =>
        {
            var entry = new Personal(kind, new(PrincipalKind.User, user.ToString(), person.DisplayName), time.GetUtcNow() + lifetime);
            var secret = NextSecret(prefix);
            lock (gate) personal.Add(secret, entry);
            return new IssuedSecret(secret, entry.ExpiresAt);
        }, cancellationToken);
    }

    private string NextSecret(string prefix) => prefix + Interlocked.Increment(ref issued).ToString("D43", CultureInfo.InvariantCulture);

    private static byte[] HashOf(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));

    private sealed record Personal(CredentialKind Kind, Principal Principal, DateTimeOffset ExpiresAt);
}
