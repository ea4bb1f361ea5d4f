using Coordinator.Modules.Kernel.Http;
using Coordinator.Modules.Kernel.Requests;
using Coordinator.Ports;
using Coordinator.Ports.Models;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Coordinator.Modules.Models.Listing;

/// <summary>The models of the catalog whose providers this deployment knows, those that can be used now first.</summary>
internal sealed record ListModels(TenantContext Tenant) : ITenantRequest<ModelList>;

internal sealed record ModelList(IReadOnlyList<ListedModel> Items);

/// <summary>Prices in US dollars per million tokens.</summary>
internal sealed record ListedModel(string Model, string DisplayName, string Provider, int ContextTokens, int OutputTokens, decimal InputPrice, decimal OutputPrice, bool IsDemo, bool Ready);

internal sealed class ListModelsHandler(IModelGateway gateway, IModelCatalog catalog) : IRequestHandler<ListModels, Result<ModelList>>
{
    public async Task<Result<ModelList>> Handle(ListModels request, CancellationToken cancellationToken)
    {
        var providers = (await gateway.ListProvidersAsync(request.Tenant.Organization, cancellationToken)).ToDictionary(provider => provider.Name, StringComparer.Ordinal);
        var models = new List<ListedModel>();
        foreach (var entry in await catalog.ListAsync(cancellationToken))
        {
            var name = entry.Model.Split('/', 2)[0];
            if (!providers.TryGetValue(name, out var provider)) continue;
            models.Add(new(entry.Model, entry.DisplayName, name, entry.ContextTokens, entry.OutputTokens, entry.InputPrice, entry.OutputPrice, provider.IsDemo, provider.Ready));
        }

        return new ModelList([.. models.OrderByDescending(model => model.Ready).ThenBy(model => model.Model, StringComparer.Ordinal)]);
    }
}

internal sealed class ListModelsEndpoint : IEndpointModule
{
    public void Map(IEndpointRouteBuilder routes) => routes
        .MapGet("/v1/models", async (HttpContext context, IMediator mediator) =>
            (await mediator.Send(new ListModels(context.Tenant()), context.RequestAborted)).ToHttp(list => Results.Json(list, ModelsJson.Default.ModelList)))
        .WithName("ListModels").WithTags("Models")
        .Produces<ModelList>()
        .WithSummary("Lists the models of the catalog. A model that is not listed can be used as well; its price is then unknown.");
}
