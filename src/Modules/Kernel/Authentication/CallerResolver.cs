using Coordinator.Ports;
using Coordinator.Ports.Identity;

namespace Coordinator.Modules.Kernel.Authentication;

/// <summary>What a request claims: a credential, and the organization it names (its text, unparsed; null when it names none).</summary>
public sealed record CallerClaim(PresentedCredential Credential, string? Organization);

/// <summary>
/// Finds out who calls and for which tenant. A connection that stays open keeps its claim and asks again, so that a
/// revoked credential or a lost membership ends it.
/// </summary>
public sealed class CallerResolver(IAuthenticator authenticator, ITenantDirectory directory)
{
    /// <summary>Who calls. Problem <c>credential_invalid</c> (401).</summary>
    public ValueTask<Result<AuthenticatedPrincipal>> AuthenticateAsync(CallerClaim claim, CancellationToken cancellationToken) =>
        authenticator.AuthenticateAsync(claim.Credential, cancellationToken);

    /// <summary>For which tenant. Problems: <c>organization_required</c> (400), <c>organization_not_found</c> (404).</summary>
    public async ValueTask<Result<TenantContext>> ResolveAsync(AuthenticatedPrincipal principal, CallerClaim claim, CancellationToken cancellationToken)
    {
        OrganizationId? requested = null;
        if (claim.Organization is { } text)
        {
            if (!OrganizationId.TryParse(text, out var organization)) return new Problem("organization_not_found", "There is no such organization that you are a member of.", ProblemKind.NotFound);
            requested = organization;
        }

        return await directory.ResolveAsync(principal, requested, cancellationToken);
    }

    /// <summary>Both questions again, for a connection that is still open.</summary>
    public async ValueTask<Result<TenantContext>> RecheckAsync(CallerClaim claim, CancellationToken cancellationToken)
    {
        var principal = await AuthenticateAsync(claim, cancellationToken);
        return principal.IsSuccess ? await ResolveAsync(principal.Value, claim, cancellationToken) : principal.Problem;
    }
}
