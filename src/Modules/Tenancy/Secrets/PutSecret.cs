using System.Text;
using Coordinator.Modules.Kernel.Http;
using Coordinator.Modules.Kernel.Requests;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace Coordinator.Modules.Tenancy;

/// <summary>
/// Seals a secret for the organization, replacing what the name held. Its value can be used from then on and never read
/// again. Problems: <c>secret_name_invalid</c>, <c>secret_empty</c>, <c>secret_malformed</c> (422),
/// <c>secret_too_large</c> (413), <c>too_many_secrets</c> (409).
/// </summary>
public sealed record PutSecret(TenantContext Tenant, string Name, string Value) : ITenantRequest<Unit>, IRequireRole
{
    public Role MinimumRole => Role.Admin;

    /// <summary>Never prints the value.</summary>
    public override string ToString() => $"{nameof(PutSecret)} {Name}";
}

/// <summary>Body of <c>PUT /v1/secrets/{name}</c>.</summary>
internal sealed record PutSecretBody(string? Value)
{
    /// <summary>Never prints the value.</summary>
    public override string ToString() => nameof(PutSecretBody);
}

internal sealed class PutSecretValidator : IValidator<PutSecret>
{
    /// <summary>The longest value, in bytes of UTF-8.</summary>
    public const int MaxBytes = 16 * 1024;

    public Problem? Validate(PutSecret request)
    {
        if (SecretName.Check(request.Name) is { } refused) return refused;
        if (request.Value.Length == 0) return new("secret_empty", "Send the secret as { \"value\": \"…\" }; to remove one, delete it.");
        if (request.Value.Length > MaxBytes || Encoding.UTF8.GetByteCount(request.Value) > MaxBytes) return new("secret_too_large", $"A secret is at most {MaxBytes} bytes.", ProblemKind.TooLarge);
        if (SecretName.IsCredential(request.Name) && request.Value.Any(character => char.IsControl(character) || char.IsWhiteSpace(character)))
            return new("secret_malformed", "A model key or git token has no spaces and no line breaks; look at how it was pasted.");
        return null;
    }
}

internal sealed class PutSecretHandler(ITenantDirectory directory, ITenantVault vault, TimeProvider time) : IRequestHandler<PutSecret, Result<Unit>>
{
    /// <summary>Secrets an organization may have. Two calls at the same moment may pass it by one.</summary>
    public const int MaxSecrets = 200;

    /// <summary>Below this length four characters would be too much of the whole.</summary>
    private const int ShortestHinted = 16;
    private const int HintLength = 4;

    public async Task<Result<Unit>> Handle(PutSecret request, CancellationToken cancellationToken)
    {
        var organization = request.Tenant.Organization;
        var known = await directory.ListSecretsAsync(organization, cancellationToken);
        if (known.Count >= MaxSecrets && known.All(secret => secret.Name != request.Name))
            return new Problem("too_many_secrets", $"The organization has {known.Count} secrets; delete one that is not used.", ProblemKind.Conflict);
        var sealedValue = await vault.SealAsync(organization, request.Name, Encoding.UTF8.GetBytes(request.Value), cancellationToken);
        await directory.PutSecretAsync(organization, new(request.Name, sealedValue, HintOf(request.Value), time.GetUtcNow()), cancellationToken);
        return Unit.Value;
    }

    private static string HintOf(string value) => value.Length >= ShortestHinted ? value[^HintLength..] : string.Empty;
}

internal sealed class PutSecretEndpoint : IEndpointModule
{
    /// <summary>Room for a value of which every character is written as an escape, and for what is around it.</summary>
    private const int MaxBody = (PutSecretValidator.MaxBytes * 6) + 1024;

    public void Map(IEndpointRouteBuilder routes) => routes
        .MapPut("/v1/secrets/{**name}", async (string name, PutSecretBody body, HttpContext http, IMediator mediator, CancellationToken cancellationToken) =>
            (await mediator.Send(new PutSecret(http.Tenant(), SecretName.FromPath(name), body.Value ?? string.Empty), cancellationToken)).ToHttp(_ => TypedResults.NoContent()))
        .WithMetadata(new RequestSizeLimitAttribute(MaxBody))
        .Produces(StatusCodes.Status204NoContent)
        .WithName("PutSecret")
        .WithSummary("Seals a secret under a name, replacing what it held.")
        .WithTags("Secrets");
}
