using Coordinator.Modules.Kernel.Authentication;
using Coordinator.Modules.Kernel.Http;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Coordinator.Modules.Tenancy;

/// <summary>Ends a browser session for good. Done also when there was none, or it had ended.</summary>
public sealed record SignOut(string BrowserSession) : IRequest<Result<Unit>>
{
    /// <summary>Never prints the session's secret.</summary>
    public override string ToString() => nameof(SignOut);
}

internal sealed class SignOutHandler(IAuthenticator authenticator) : IRequestHandler<SignOut, Result<Unit>>
{
    public async Task<Result<Unit>> Handle(SignOut request, CancellationToken cancellationToken)
    {
        await authenticator.RevokeBrowserSessionAsync(request.BrowserSession, cancellationToken);
        return Unit.Value;
    }
}

/// <summary>
/// Takes any caller, so that a browser whose session has expired is signed out as well. When the store is down nobody is
/// told they are signed out: the cookie stays and the answer is 503.
/// </summary>
internal sealed class SignOutEndpoint : IEndpointModule
{
    public void Map(IEndpointRouteBuilder routes) => routes
        .MapPost("/v1/sign-out", async (HttpContext http, IMediator mediator, CancellationToken cancellationToken) =>
        {
            if (http.Request.Cookies[BrowserCookie.Name] is { Length: > 0 } session)
            {
                var outcome = await mediator.Send(new SignOut(session), cancellationToken);
                if (!outcome.IsSuccess) return outcome.Problem.ToHttp();
            }

            BrowserCookie.Clear(http);
            return TypedResults.NoContent();
        })
        .WithoutCredential()
        .Produces(StatusCodes.Status204NoContent)
        .WithName("SignOut")
        .WithSummary("Ends the browser session and clears its cookie.")
        .WithTags("Identity");
}
