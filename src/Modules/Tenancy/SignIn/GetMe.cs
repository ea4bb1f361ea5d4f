using Coordinator.Modules.Kernel.Http;
using Coordinator.Modules.Kernel.Requests;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Coordinator.Modules.Tenancy;

/// <summary>Asks who one is, where, and with which role.</summary>
public sealed record GetMe(TenantContext Tenant) : ITenantRequest<MeView>;

/// <summary>The caller, the organization this call was for, and all the caller's organizations.</summary>
public sealed record MeView(PrincipalView Principal, OrganizationView Organization, Role Role, IReadOnlyList<MembershipView> Organizations);

/// <summary>A caller: a person or an API key.</summary>
public sealed record PrincipalView(PrincipalKind Kind, string Id, string DisplayName);

/// <summary>An organization and the caller's role in it.</summary>
public sealed record MembershipView(OrganizationId Id, string Name, Role Role);

internal sealed class GetMeHandler(ITenantDirectory directory) : IRequestHandler<GetMe, Result<MeView>>
{
    private static readonly Problem Left = new("organization_not_found", "There is no such organization that you are a member of.", ProblemKind.NotFound);

    public async Task<Result<MeView>> Handle(GetMe request, CancellationToken cancellationToken)
    {
        var (tenant, principal) = (request.Tenant, request.Tenant.Principal);
        var organizations = await directory.ListOrganizationsAsync(principal, cancellationToken);
        var here = organizations.FirstOrDefault(organization => organization.Id == tenant.Organization);
        if (here is null) return Left;
        return new MeView(
            new(principal.Kind, principal.Id, principal.DisplayName),
            new(here.Id, here.Name),
            here.Role,
            [.. organizations.Select(organization => new MembershipView(organization.Id, organization.Name, organization.Role))]);
    }
}

internal sealed class GetMeEndpoint : IEndpointModule
{
    public void Map(IEndpointRouteBuilder routes) => routes
        .MapGet("/v1/me", async (HttpContext http, IMediator mediator, CancellationToken cancellationToken) =>
            (await mediator.Send(new GetMe(http.Tenant()), cancellationToken)).ToHttp(TypedResults.Ok))
        .Produces<MeView>()
        .WithName("GetMe")
        .WithSummary("Who the caller is, for which organization, and with which role.")
        .WithTags("Identity");
}
