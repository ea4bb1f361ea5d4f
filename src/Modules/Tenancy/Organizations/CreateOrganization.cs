using System.Globalization;
using Coordinator.Modules.Kernel.Http;
using Coordinator.Modules.Kernel.Requests;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Coordinator.Modules.Tenancy;

/// <summary>
/// Makes another organization, owned by the caller, who must own the one they call for. Problems: <c>name_invalid</c>
/// (422), <c>person_required</c> (403: an API key belongs to one organization and can own none), <c>role_insufficient</c>
/// (403), <c>too_many_organizations</c> (409).
/// </summary>
public sealed record CreateOrganization(TenantContext Tenant, string? IdempotencyKey, string Name) : ITenantRequest<OrganizationView>, IRequireRole
{
    public Role MinimumRole => Role.Owner;
}

/// <summary>Body of <c>POST /v1/organizations</c>.</summary>
internal sealed record CreateOrganizationBody(string? Name);

internal sealed class CreateOrganizationValidator : IValidator<CreateOrganization>
{
    private const int MaxNameLength = 100;

    public Problem? Validate(CreateOrganization request)
    {
        if (request.Name.Length is 0 or > MaxNameLength || request.Name.Any(char.IsControl)) return new("name_invalid", $"Give the organization a name of 1 to {MaxNameLength} characters on one line.");
        return Owner(request) is not null ? null : new("person_required", "Sign in to make an organization: an API key belongs to one and can own none.", ProblemKind.Forbidden);
    }

    /// <summary>Who will own it: the person who asks; null for a program.</summary>
    public static UserId? Owner(CreateOrganization request) =>
        request.Tenant.Principal is { Kind: PrincipalKind.User } person && UserId.TryParse(person.Id, out var user) ? user : null;
}

internal sealed class CreateOrganizationHandler(ITenantDirectory directory, TimeProvider time) : IRequestHandler<CreateOrganization, Result<OrganizationView>>
{
    /// <summary>Organizations a person may be in and still make one. Calls at the same moment may pass it by one each.</summary>
    public const int MaxOrganizations = 50;

    /// <summary>How long an idempotency key stands for what it was first used for.</summary>
    private static readonly TimeSpan KeyKept = TimeSpan.FromHours(24);

    public async Task<Result<OrganizationView>> Handle(CreateOrganization request, CancellationToken cancellationToken)
    {
        if (CreateOrganizationValidator.Owner(request) is not { } owner) throw new InvalidOperationException("A request that was validated names its person.");
        var principal = request.Tenant.Principal;
        var places = await directory.ListOrganizationsAsync(principal, cancellationToken);
        var id = request.IdempotencyKey is { } key ? Choose(request.Tenant, key, places) : OrganizationId.New(time);
        if (places.Count >= MaxOrganizations && places.All(place => place.Id != id)) return new Problem("too_many_organizations", $"You are in {places.Count} organizations; that is the limit.", ProblemKind.Conflict);

        await directory.CreateOrganizationAsync(new(id, request.Name, owner, time.GetUtcNow()), cancellationToken);
        return new OrganizationView(id, request.Name);
    }

    /// <summary>That of what the key made in the last day, if it did: so a retry meets it also when nobody remembers the first try, and a day later it does not.</summary>
    private OrganizationId Choose(TenantContext tenant, string key, IReadOnlyList<OrganizationInfo> places)
    {
        var now = time.GetUtcNow();
        var yesterdays = Derive(tenant, key, now - KeyKept);
        return places.Any(place => place.Id == yesterdays && place.CreatedAt > now - KeyKept) ? yesterdays : Derive(tenant, key, now);
    }

    private static OrganizationId Derive(TenantContext tenant, string key, DateTimeOffset at) =>
        OrganizationId.From(PrefixedId.Derive("organization", tenant.Organization.ToString(), tenant.Principal.Scope, key, at.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)));
}

internal sealed class CreateOrganizationEndpoint : IEndpointModule
{
    public void Map(IEndpointRouteBuilder routes) => routes
        .MapPost("/v1/organizations", async (CreateOrganizationBody body, HttpContext http, IMediator mediator, CancellationToken cancellationToken) =>
            (await mediator.Send(new CreateOrganization(http.Tenant(), http.IdempotencyKey(), body.Name?.Trim() ?? string.Empty), cancellationToken))
            .ToHttp(created => TypedResults.Json(created, statusCode: StatusCodes.Status201Created)))
        .Produces<OrganizationView>(StatusCodes.Status201Created)
        .WithName("CreateOrganization")
        .WithSummary("Makes an organization that the caller owns.")
        .WithTags("Organizations");
}
