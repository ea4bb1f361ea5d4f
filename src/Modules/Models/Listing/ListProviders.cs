using Coordinator.Modules.Kernel.Http;
using Coordinator.Modules.Kernel.Requests;
using Coordinator.Ports;
using Coordinator.Ports.Models;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Coordinator.Modules.Models.Listing;

/// <summary>The providers of this deployment as one organization can use them.</summary>
internal sealed record ListProviders(TenantContext Tenant) : ITenantRequest<ProviderList>;

internal sealed record ProviderList(IReadOnlyList<ModelProviderInfo> Items);

internal sealed class ListProvidersHandler(IModelGateway gateway) : IRequestHandler<ListProviders, Result<ProviderList>>
{
    public async Task<Result<ProviderList>> Handle(ListProviders request, CancellationToken cancellationToken) =>
        new ProviderList(await gateway.ListProvidersAsync(request.Tenant.Organization, cancellationToken));
}

internal sealed class ListProvidersEndpoint : IEndpointModule
{
    public void Map(IEndpointRouteBuilder routes) => routes
        .MapGet("/v1/providers", async (HttpContext context, IMediator mediator) =>
            (await mediator.Send(new ListProviders(context.Tenant()), context.RequestAborted)).ToHttp(list => Results.Json(list, ModelsJson.Default.ProviderList)))
        .WithName("ListProviders").WithTags("Models")
        .Produces<ProviderList>()
        .WithSummary("Lists the model providers and whether the organization has what each needs.");
}
