using Coordinator.Modules.Kernel.Http;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Coordinator.Modules.SessionAccess.Artifacts;

/// <summary>A box stores what is too large for an event.</summary>
internal sealed class StoreArtifactEndpoint(ISessionHost sessions) : IEndpointModule
{
    public const long MaxBytes = 64L * 1024 * 1024;

    public void Map(IEndpointRouteBuilder routes) => routes.MapPut("/v1/bridge/artifacts/{sha256}", StoreAsync).ForBoxes().ExcludeFromDescription();

    private async Task<IResult> StoreAsync(string sha256, HttpContext context, IArtifactStore store, CancellationToken cancellationToken)
    {
        var box = await context.AuthorizeBoxAsync(sessions, cancellationToken);
        if (!box.IsSuccess) return box.Problem.ToHttp();
        if (!ArtifactName.IsValid(sha256)) return ArtifactName.Invalid.ToHttp();
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = MaxBytes;
        var stored = await store.PutAsync(box.Value.Key.Organization, sha256, context.Request.Body, MaxBytes, cancellationToken);
        return stored.ToHttp(_ => Results.NoContent());
    }
}
