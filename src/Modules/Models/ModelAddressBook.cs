using Coordinator.Modules.Kernel.Contracts;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Models;
using MediatR;

namespace Coordinator.Modules.Models;

/// <summary>Says how an agent addresses a model: the gateway's route and the catalog's sizes.</summary>
internal sealed class ModelAddressBook(IModelGateway gateway, IModelCatalog catalog) : IModelAddressBook
{
    /// <summary>What is assumed of a model the catalog does not know: small enough to be true of any current one.</summary>
    private const int UnknownContextTokens = 128_000;

    private const int UnknownOutputTokens = 8_192;

    public async ValueTask<Result<AgentModel>> FindAsync(OrganizationId organization, string model, CancellationToken cancellationToken)
    {
        var route = await gateway.ResolveAsync(organization, model, cancellationToken);
        if (!route.IsSuccess) return route.Problem;
        var entry = await catalog.FindAsync(model, cancellationToken);
        var name = model[(route.Value.Provider.Length + 1)..];
        return new AgentModel(route.Value.Provider, name, route.Value.Wire, entry?.ContextTokens ?? UnknownContextTokens, entry?.OutputTokens ?? UnknownOutputTokens);
    }
}

internal sealed class ValidateModelHandler(IModelAddressBook addresses) : IRequestHandler<ValidateModel, Result<AgentModel>>
{
    private static readonly Problem Required = new("model_required", "Say which model: provider/model. GET /v1/models lists those that are known.");

    public async Task<Result<AgentModel>> Handle(ValidateModel request, CancellationToken cancellationToken) =>
        string.IsNullOrEmpty(request.Model) ? Required : await addresses.FindAsync(request.Tenant.Organization, request.Model, cancellationToken);
}
