using Coordinator.Modules.Kernel.Http;
using Coordinator.Modules.Kernel.Requests;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Coordinator.Modules.SessionAccess.Artifacts;

/// <summary>Opens an artifact of a session for reading. The caller disposes the stream.</summary>
public sealed record DownloadArtifact(TenantContext Tenant, SessionId Session, string Sha256) : ITenantRequest<Stream>;

internal sealed class DownloadArtifactHandler(ISessionJournal journal, IArtifactStore store) : IRequestHandler<DownloadArtifact, Result<Stream>>
{
    public async Task<Result<Stream>> Handle(DownloadArtifact request, CancellationToken cancellationToken)
    {
        if (!ArtifactName.IsValid(request.Sha256)) return ArtifactName.NotFound;
        if (await journal.FindHeadAsync(request.Tenant.Key(request.Session), cancellationToken) is null) return SessionProblems.NotFound;
        var content = await store.OpenAsync(request.Tenant.Organization, request.Sha256, cancellationToken);
        return content is null ? ArtifactName.NotFound : content;
    }
}

internal sealed class DownloadArtifactEndpoint : IEndpointModule
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/v1/sessions/{id}/artifacts/{sha256}", async (SessionId id, string sha256, HttpContext context, IMediator mediator, CancellationToken cancellationToken) =>
            (await mediator.Send(new DownloadArtifact(context.Tenant(), id, sha256), cancellationToken)).ToHttp(content => Attachment(context, content, sha256)))
            .Documented("DownloadArtifact", "Sessions", "The bytes of an artifact.")
            .Produces(StatusCodes.Status200OK, contentType: "application/octet-stream");

    /// <summary>What an agent made is never shown by a browser as a page of this host.</summary>
    private static IResult Attachment(HttpContext context, Stream content, string sha256)
    {
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.Headers.CacheControl = "private, max-age=31536000, immutable";
        return Results.Stream(content, "application/octet-stream", sha256);
    }
}
