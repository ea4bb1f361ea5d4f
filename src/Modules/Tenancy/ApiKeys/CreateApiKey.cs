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
/// Makes an API key for the caller's organization. Without a role it is a member's, or the maker's own where that is
/// lower; a key made with a key never outlives it, and is revoked with it. Problems: <c>name_invalid</c>, <c>expiry_invalid</c> (422),
/// <c>role_insufficient</c> (403: above the maker's), <c>too_many_api_keys</c> (409).
/// </summary>
public sealed record CreateApiKey(TenantContext Tenant, string Name, Role? Role, int? ExpiresInDays) : ITenantRequest<CreatedApiKey>;

/// <summary>A new key; <see cref="Key"/> is shown this once.</summary>
public sealed record CreatedApiKey(ApiKeyId Id, string Name, Role Role, string Hint, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, string Key)
{
    /// <summary>Never prints the key.</summary>
    public override string ToString() => $"API key {Id}";
}

/// <summary>Body of <c>POST /v1/api-keys</c>.</summary>
internal sealed record CreateApiKeyBody(string? Name, Role? Role, int? ExpiresInDays);

internal sealed class CreateApiKeyValidator : IValidator<CreateApiKey>
{
    private const int MaxNameLength = 100;
    private const int MaxDays = 3650;

    public Problem? Validate(CreateApiKey request)
    {
        if (request.Name.Length is 0 or > MaxNameLength || request.Name.Any(char.IsControl)) return new("name_invalid", $"Give the key a name of 1 to {MaxNameLength} characters on one line.");
        if (request.ExpiresInDays is < 1 or > MaxDays) return new("expiry_invalid", $"expiresInDays is 1 to {MaxDays}, or absent for a key that does not expire.");
        if (request.Role > request.Tenant.Role) return new("role_insufficient", $"A key cannot do more than its maker: your role is {request.Tenant.Role}.", ProblemKind.Forbidden);
        return null;
    }
}

internal sealed class CreateApiKeyHandler(IAuthenticator authenticator, ITenantDirectory directory, TimeProvider time) : IRequestHandler<CreateApiKey, Result<CreatedApiKey>>
{
    /// <summary>Keys an organization may have at once. Two calls at the same moment may pass it by one.</summary>
    public const int MaxKeys = 200;

    public async Task<Result<CreatedApiKey>> Handle(CreateApiKey request, CancellationToken cancellationToken)
    {
        var keys = await directory.ListApiKeysAsync(request.Tenant, cancellationToken);
        if (keys.Count >= MaxKeys) return new Problem("too_many_api_keys", $"The organization has {keys.Count} API keys; delete one that is not used.", ProblemKind.Conflict);
        var maker = KeyMaker.Of(request.Tenant.Principal, keys);
        if (!maker.IsSuccess) return maker.Problem;

        var role = request.Role ?? (request.Tenant.Role < Role.Member ? request.Tenant.Role : Role.Member);
        var expiresAt = Earlier(request.ExpiresInDays is { } days ? time.GetUtcNow().AddDays(days) : null, maker.Value.EndsAt);
        var issued = await authenticator.IssueApiKeyAsync(new(request.Tenant.Organization, maker.Value.User, role, request.Name, expiresAt, maker.Value.With), cancellationToken);
        var stored = issued.Stored;
        return new CreatedApiKey(new(stored.Id), stored.Name, stored.Role, stored.Hint, stored.CreatedAt, stored.ExpiresAt, issued.Secret);
    }

    private static DateTimeOffset? Earlier(DateTimeOffset? one, DateTimeOffset? other) => one is null || other < one ? other ?? one : one;
}

internal sealed class CreateApiKeyEndpoint : IEndpointModule
{
    public void Map(IEndpointRouteBuilder routes) => routes
        .MapPost("/v1/api-keys", async (CreateApiKeyBody body, HttpContext http, IMediator mediator, CancellationToken cancellationToken) =>
            (await mediator.Send(new CreateApiKey(http.Tenant(), body.Name?.Trim() ?? string.Empty, body.Role, body.ExpiresInDays), cancellationToken))
            .ToHttp(created => TypedResults.Json(created, statusCode: StatusCodes.Status201Created)))
        .AnswersSecretOnce()
        .Produces<CreatedApiKey>(StatusCodes.Status201Created)
        .WithName("CreateApiKey")
        .WithSummary("Makes an API key; its secret is in this answer only.")
        .WithTags("API keys");
}
