using Coordinator.Modules.Kernel.Http;
using Coordinator.Modules.Kernel.Requests;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Coordinator.Modules.Tenancy;

/// <summary>Lists the names of the organization's secrets, never a value.</summary>
public sealed record ListSecrets(TenantContext Tenant) : ITenantRequest<SecretList>, IRequireRole
{
    public Role MinimumRole => Role.Member;
}

/// <summary>All secrets by name, at once: an organization has at most 200.</summary>
public sealed record SecretList(IReadOnlyList<SecretView> Items, string? NextCursor);

/// <summary>A secret's name; <see cref="Hint"/> is its last four characters when it is long enough to spare them, or null.</summary>
public sealed record SecretView(string Name, string? Hint, DateTimeOffset UpdatedAt);

internal sealed class ListSecretsHandler(ITenantDirectory directory) : IRequestHandler<ListSecrets, Result<SecretList>>
{
    public async Task<Result<SecretList>> Handle(ListSecrets request, CancellationToken cancellationToken)
    {
        var secrets = await directory.ListSecretsAsync(request.Tenant.Organization, cancellationToken);
        return new SecretList([.. secrets.Select(secret => new SecretView(secret.Name, secret.Hint.Length > 0 ? secret.Hint : null, secret.UpdatedAt))], NextCursor: null);
    }
}

internal sealed class ListSecretsEndpoint : IEndpointModule
{
    public void Map(IEndpointRouteBuilder routes) => routes
        .MapGet("/v1/secrets", async (HttpContext http, IMediator mediator, CancellationToken cancellationToken) =>
            (await mediator.Send(new ListSecrets(http.Tenant()), cancellationToken)).ToHttp(TypedResults.Ok))
        .Produces<SecretList>()
        .WithName("ListSecrets")
        .WithSummary("The names of the organization's secrets, never a value.")
        .WithTags("Secrets");
}
