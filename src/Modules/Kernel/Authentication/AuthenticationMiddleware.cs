using Coordinator.Modules.Kernel.Http;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Microsoft.AspNetCore.Http;

namespace Coordinator.Modules.Kernel.Authentication;

/// <summary>
/// Turns a request's credential into a caller and, where the endpoint needs one, into a tenant: an API key or the
/// browser's cookie, and the organization that <c>Coordinator-Organization</c> names. Endpoints that want neither pass.
/// </summary>
internal sealed class AuthenticationMiddleware(RequestDelegate next, CallerResolver callers)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (context.GetEndpoint() is not { } endpoint) return next(context);
        var admission = AdmitAsync(context, endpoint.Metadata.GetMetadata<EndpointAccess>()?.Kind ?? AccessKind.Tenant);
        return admission.IsCompletedSuccessfully ? GoOn(context, admission.Result) : GoOnAsync(context, admission);
    }

    private async Task GoOnAsync(HttpContext context, ValueTask<Problem?> admission) => await GoOn(context, await admission);

    private Task GoOn(HttpContext context, Problem? problem) => problem is null ? next(context) : context.WriteProblemAsync(problem);

    private async ValueTask<Problem?> AdmitAsync(HttpContext context, AccessKind kind)
    {
        switch (kind)
        {
            case AccessKind.Box:
                return null;
            case AccessKind.Anonymous:
                return OriginCheck.Check(context, originNeeded: false);
            default:
                var credential = CredentialReader.Read(context);
                if (!credential.IsSuccess) return credential.Problem;
                if (credential.Value.Kind == CredentialKind.BrowserSession && OriginCheck.Check(context, originNeeded: true) is { } refused) return refused;
                return await ResolveAsync(context, new(credential.Value, CredentialReader.Organization(context)), kind);
        }
    }

    private async ValueTask<Problem?> ResolveAsync(HttpContext context, CallerClaim claim, AccessKind kind)
    {
        var principal = await callers.AuthenticateAsync(claim, context.RequestAborted);
        if (!principal.IsSuccess) return principal.Problem;
        context.Features.Set(principal.Value);
        if (kind == AccessKind.Principal) return null;

        var tenant = await callers.ResolveAsync(principal.Value, claim, context.RequestAborted);
        if (!tenant.IsSuccess) return tenant.Problem;
        context.Features.Set(tenant.Value);
        context.Features.Set(claim);
        return null;
    }
}
