using Coordinator.Modules.Kernel.Http;
using Coordinator.Modules.Kernel.Requests;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Coordinator.Modules.Tenancy;

/// <summary>Lists the organization's API keys, newest first: an admin sees all, others those in their own name.</summary>
public sealed record ListApiKeys(TenantContext Tenant) : ITenantRequest<ApiKeyList>;

/// <summary>All keys at once: an organization has at most 200.</summary>
public sealed record ApiKeyList(IReadOnlyList<ApiKeyView> Items, string? NextCursor);

/// <summary>A key without its secret. <see cref="Hint"/> is its last four characters.</summary>
public sealed record ApiKeyView(ApiKeyId Id, string Name, Role Role, string Hint, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, UserId CreatedBy);

internal sealed class ListApiKeysHandler(ITenantDirectory directory) : IRequestHandler<ListApiKeys, Result<ApiKeyList>>
{
    public async Task<Result<ApiKeyList>> Handle(ListApiKeys request, CancellationToken cancellationToken)
    {
        var keys = await directory.ListApiKeysAsync(request.Tenant, cancellationToken);
        var visible = VisibleKeys.To(request.Tenant, keys);
        return new ApiKeyList([.. visible.Select(key => new ApiKeyView(new(key.Id), key.Name, key.Role, key.Hint, key.CreatedAt, key.ExpiresAt, key.User))], NextCursor: null);
    }
}

/// <summary>Whose keys a caller may see and delete.</summary>
internal static class VisibleKeys
{
    public static IEnumerable<StoredCredential> To(TenantContext tenant, IReadOnlyList<StoredCredential> keys)
    {
        if (tenant.Role >= Role.Admin) return keys;
        var maker = KeyMaker.Of(tenant.Principal, keys);
        return maker.IsSuccess ? keys.Where(key => key.User == maker.Value.User) : [];
    }
}

internal sealed class ListApiKeysEndpoint : IEndpointModule
{
    public void Map(IEndpointRouteBuilder routes) => routes
        .MapGet("/v1/api-keys", async (HttpContext http, IMediator mediator, CancellationToken cancellationToken) =>
            (await mediator.Send(new ListApiKeys(http.Tenant()), cancellationToken)).ToHttp(TypedResults.Ok))
        .Produces<ApiKeyList>()
        .WithName("ListApiKeys")
        .WithSummary("The API keys the caller may see, newest first.")
        .WithTags("API keys");
}
