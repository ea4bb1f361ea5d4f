using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Coordinator.Modules.Kernel.Http;

/// <summary>How endpoints say which caller they want, and get at the one that the authentication middleware resolved.</summary>
public static class TenantHttp
{
    /// <summary>The caller's tenant. Only on endpoints that need one, which is all that do not say otherwise.</summary>
    public static TenantContext Tenant(this HttpContext context) =>
        context.Features.Get<TenantContext>() ?? throw new InvalidOperationException($"{context.Request.Path} was reached without a tenant.");

    /// <summary>The authenticated principal, before an organization was chosen.</summary>
    public static AuthenticatedPrincipal Caller(this HttpContext context) =>
        context.Features.Get<AuthenticatedPrincipal>() ?? throw new InvalidOperationException($"{context.Request.Path} was reached without a principal.");

    /// <summary>The request's valid <c>Idempotency-Key</c>, or null when it has none.</summary>
    public static string? IdempotencyKey(this HttpContext context) => context.Features.Get<IdempotencyKeyFeature>()?.Key;

    /// <summary>The endpoint takes calls without any credential.</summary>
    public static TBuilder WithoutCredential<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new EndpointAccess(AccessKind.Anonymous));

    /// <summary>The endpoint needs a principal and no organization, such as one that lists a person's organizations.</summary>
    public static TBuilder ForPrincipals<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new EndpointAccess(AccessKind.Principal));

    /// <summary>The endpoint authenticates a box's token itself.</summary>
    public static TBuilder ForBoxes<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new EndpointAccess(AccessKind.Box));

    /// <summary>Calls are limited per caller's address, because each is a guess at a credential: 429 <c>too_many_attempts</c>.</summary>
    public static TBuilder LimitAttempts<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new AttemptsLimited());

    /// <summary>
    /// A success of this POST shows a secret once, so its answer is never stored: a repeat with the same
    /// <c>Idempotency-Key</c> is 409 <c>answer_not_repeatable</c> and makes nothing.
    /// </summary>
    public static TBuilder AnswersSecretOnce<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new SecretAnswer());

    /// <summary>
    /// What this POST acts on takes one <c>Idempotency-Key</c> for one thing, whoever remembers the first try: so a repeat need
    /// not wait for a first that is still being answered, or whose host died over it, and gets the same answer at once.
    /// </summary>
    public static TBuilder RecognisesRepeats<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new RepeatsRecognised());
}

/// <summary>Which credential an endpoint wants; without this metadata it is <see cref="AccessKind.Tenant"/>.</summary>
public sealed record EndpointAccess(AccessKind Kind);

/// <summary>Who may call an endpoint.</summary>
public enum AccessKind
{
    /// <summary>A principal acting for one organization.</summary>
    Tenant,
    /// <summary>A principal; no organization is chosen.</summary>
    Principal,
    /// <summary>Nobody in particular.</summary>
    Anonymous,
    /// <summary>A box, which the endpoint authenticates.</summary>
    Box,
}

/// <summary>Marks endpoints whose calls are guesses at a credential.</summary>
public sealed record AttemptsLimited;

/// <summary>Marks endpoints whose answer holds a secret that is shown once.</summary>
public sealed record SecretAnswer;

/// <summary>The endpoint's effect is the same however often one key is used (<see cref="TenantHttp.RecognisesRepeats"/>).</summary>
public sealed record RepeatsRecognised;

/// <summary>The checked idempotency key of a request.</summary>
public sealed record IdempotencyKeyFeature(string Key);
