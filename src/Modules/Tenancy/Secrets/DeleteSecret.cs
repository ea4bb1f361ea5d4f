using Coordinator.Modules.Kernel.Http;
using Coordinator.Modules.Kernel.Requests;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Coordinator.Modules.Tenancy;

/// <summary>Deletes a secret. Problem <c>secret_not_found</c> (404).</summary>
public sealed record DeleteSecret(TenantContext Tenant, string Name) : ITenantRequest<Unit>, IRequireRole
{
    public Role MinimumRole => Role.Admin;
}

internal sealed class DeleteSecretHandler(ITenantDirectory directory) : IRequestHandler<DeleteSecret, Result<Unit>>
{
    private static readonly Problem NotFound = new("secret_not_found", "The organization has no secret of that name.", ProblemKind.NotFound);

    public async Task<Result<Unit>> Handle(DeleteSecret request, CancellationToken cancellationToken) =>
        await directory.DeleteSecretAsync(request.Tenant.Organization, request.Name, cancellationToken) ? Unit.Value : NotFound;
}

internal sealed class DeleteSecretEndpoint : IEndpointModule
{
    public void Map(IEndpointRouteBuilder routes) => routes
        .MapDelete("/v1/secrets/{**name}", async (string name, HttpContext http, IMediator mediator, CancellationToken cancellationToken) =>
            (await mediator.Send(new DeleteSecret(http.Tenant(), SecretName.FromPath(name)), cancellationToken)).ToHttp(_ => TypedResults.NoContent()))
        .Produces(StatusCodes.Status204NoContent)
        .WithName("DeleteSecret")
        .WithSummary("Deletes a secret.")
        .WithTags("Secrets");
}
