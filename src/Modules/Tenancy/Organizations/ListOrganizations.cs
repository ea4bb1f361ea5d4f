using Coordinator.Modules.Kernel.Http;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Coordinator.Modules.Tenancy;

/// <summary>All the caller's organizations, oldest membership first. The one call about them that needs none to be chosen.</summary>
public sealed record OrganizationList(IReadOnlyList<MembershipView> Items, string? NextCursor)
{
    internal static OrganizationList Of(IEnumerable<OrganizationInfo> places) => new([.. places.Select(place => new MembershipView(place.Id, place.Name, place.Role))], NextCursor: null);
}

internal sealed class ListOrganizationsEndpoint : IEndpointModule
{
    public void Map(IEndpointRouteBuilder routes) => routes
        .MapGet("/v1/organizations", async (HttpContext http, ITenantDirectory directory, CancellationToken cancellationToken) =>
            TypedResults.Ok(OrganizationList.Of(await directory.ListOrganizationsAsync(http.Caller().Principal, cancellationToken))))
        .ForPrincipals()
        .Produces<OrganizationList>()
        .WithName("ListOrganizations")
        .WithSummary("The caller's organizations, and their role in each.")
        .WithTags("Organizations");
}
