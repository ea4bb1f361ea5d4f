using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Coordinator.Modules.Kernel.Http;

/// <summary>How endpoints get at the caller that the authentication middleware resolved.</summary>
public static class TenantHttp
{
    /// <summary>The caller's tenant. Only on endpoints that need one, which is all that do not say otherwise.</summary>
    public static TenantContext Tenant(this HttpContext context) =>
        context.Features.Get<TenantContext>() ?? throw new InvalidOperationException($"{context.Request.Path} was reached without a tenant.");

    /// <summary>The authenticated principal, before an organization was chosen.</summary>
    public static AuthenticatedPrincipal Caller(this HttpContext context) =>
        context.Features.Get<AuthenticatedPrincipal>() ?? throw new InvalidOperationException($"{context.Request.Path} was reached without a principal.");

    /// <summary>The endpoint takes calls without any credential.</summary>
    public static TBuilder WithoutCredential<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new EndpointAccess(AccessKind.Anonymous));

    /// <summary>The endpoint authenticates a box's token itself.</summary>
    public static TBuilder ForBoxes<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new EndpointAccess(AccessKind.Box));
}

/// <summary>Which credential an endpoint wants; without this metadata it is <see cref="AccessKind.Tenant"/>.</summary>
public sealed record EndpointAccess(AccessKind Kind);

public enum AccessKind
{
    Tenant,
    Anonymous,
    Box,
}
