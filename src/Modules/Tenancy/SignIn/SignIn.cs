using Coordinator.Modules.Kernel.Authentication;
using Coordinator.Modules.Kernel.Http;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;

namespace Coordinator.Modules.Tenancy;

/// <summary>
/// Spends a one-time sign-in link and opens a browser session. Problem <c>credential_invalid</c> (401) when the link is
/// unknown, expired or used.
/// </summary>
public sealed record SignIn(string Link) : IRequest<Result<SignInOutcome>>
{
    /// <summary>Never prints the link.</summary>
    public override string ToString() => nameof(SignIn);
}

/// <summary>The browser's new session, and who is signed in.</summary>
public sealed record SignInOutcome(IssuedSecret Session, SignedIn Answer);

/// <summary>Who is signed in, and the organization they joined first.</summary>
public sealed record SignedIn(PersonView User, OrganizationView Organization);

/// <summary>A person.</summary>
public sealed record PersonView(string Id, string DisplayName);

/// <summary>An organization.</summary>
public sealed record OrganizationView(OrganizationId Id, string Name);

/// <summary>Body of <c>POST /v1/sign-in</c>.</summary>
internal sealed record SignInBody(string? Link);

internal sealed class SignInHandler(IAuthenticator authenticator, ITenantDirectory directory, IOptions<TenancyOptions> options) : IRequestHandler<SignIn, Result<SignInOutcome>>
{
    private static readonly Problem NowhereMember = new("organization_not_found", "You are not a member of any organization; ask an admin to invite you.", ProblemKind.NotFound);

    public async Task<Result<SignInOutcome>> Handle(SignIn request, CancellationToken cancellationToken)
    {
        var accepted = await authenticator.AuthenticateAsync(new(CredentialKind.SignInLink, request.Link), cancellationToken);
        if (!accepted.IsSuccess) return accepted.Problem;
        var principal = accepted.Value.Principal;
        if (!UserId.TryParse(principal.Id, out var user)) throw new InvalidOperationException($"A sign-in link belongs to a {principal.Kind}, not to a person.");
        var organizations = await directory.ListOrganizationsAsync(principal, cancellationToken);
        if (organizations.Count == 0) return NowhereMember;
        var session = await authenticator.IssueBrowserSessionAsync(user, options.Value.BrowserSessionLifetime, cancellationToken);
        return new SignInOutcome(session, new(new(principal.Id, principal.DisplayName), new(organizations[0].Id, organizations[0].Name)));
    }
}

internal sealed class SignInEndpoint : IEndpointModule
{
    private static readonly Problem LinkRequired = new("link_required", "Send the one-time link's secret: { \"link\": \"sl_…\" }.", ProblemKind.Malformed);

    public void Map(IEndpointRouteBuilder routes) => routes
        .MapPost("/v1/sign-in", async (SignInBody body, HttpContext http, IMediator mediator, CancellationToken cancellationToken) =>
        {
            if (string.IsNullOrEmpty(body.Link)) return LinkRequired.ToHttp();
            var outcome = await mediator.Send(new SignIn(body.Link), cancellationToken);
            return outcome.ToHttp(signedIn =>
            {
                BrowserCookie.Write(http, signedIn.Session);
                return TypedResults.Ok(signedIn.Answer);
            });
        })
        .WithoutCredential()
        .LimitAttempts()
        .Produces<SignedIn>()
        .WithName("SignIn")
        .WithSummary("Spends a one-time sign-in link and sets the browser session's cookie.")
        .WithTags("Identity");
}
