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
/// Revokes an API key at once, and every key made with it. Problem <c>api_key_not_found</c> (404): there is none, it is another organization's, or
/// not one the caller may see.
/// </summary>
public sealed record DeleteApiKey(TenantContext Tenant, ApiKeyId Key) : ITenantRequest<Unit>;

internal sealed class DeleteApiKeyHandler(ITenantDirectory directory, TimeProvider time) : IRequestHandler<DeleteApiKey, Result<Unit>>
{
    public async Task<Result<Unit>> Handle(DeleteApiKey request, CancellationToken cancellationToken)
    {
        var keys = await directory.ListApiKeysAsync(request.Tenant, cancellationToken);
        if (VisibleKeys.To(request.Tenant, keys).All(key => key.Id != request.Key.Value)) return DeleteApiKeyEndpoint.NotFound;
        await directory.RevokeCredentialAsync(request.Key.Value, time.GetUtcNow(), cancellationToken);
        return Unit.Value;
    }
}

internal sealed class DeleteApiKeyEndpoint : IEndpointModule
{
    public static readonly Problem NotFound = new("api_key_not_found", "There is no such API key that you may delete.", ProblemKind.NotFound);

    public void Map(IEndpointRouteBuilder routes) => routes
        .MapDelete("/v1/api-keys/{id}", async (string id, HttpContext http, IMediator mediator, CancellationToken cancellationToken) =>
            ApiKeyId.TryParse(id, out var key)
                ? (await mediator.Send(new DeleteApiKey(http.Tenant(), key), cancellationToken)).ToHttp(_ => TypedResults.NoContent())
                : NotFound.ToHttp())
        .Produces(StatusCodes.Status204NoContent)
        .WithName("DeleteApiKey")
        .WithSummary("Revokes an API key at once, and every key made with it.")
        .WithTags("API keys");
}
