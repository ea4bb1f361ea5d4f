using Coordinator.Modules.Kernel.Http;
using Coordinator.Modules.Kernel.Requests;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Coordinator.Modules.SessionAccess.Sessions;

/// <summary>Ends a session for good: cancels what is queued or running and stops its box.</summary>
public sealed record ArchiveSession(TenantContext Tenant, SessionId Session) : ITenantRequest<SessionView>, IRequireRole
{
    public Role MinimumRole => Role.Member;
}

internal sealed class ArchiveSessionHandler(ISessionHost sessions) : IRequestHandler<ArchiveSession, Result<SessionView>>
{
    public Task<Result<SessionView>> Handle(ArchiveSession request, CancellationToken cancellationToken) =>
        sessions.ViewAfterAsync(request.Tenant.Key(request.Session), new SessionCommand.Archive(request.Tenant.Principal), cancellationToken);
}

internal sealed class ArchiveSessionEndpoint : IEndpointModule
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/v1/sessions/{id}/archive", async (SessionId id, HttpContext context, IMediator mediator, CancellationToken cancellationToken) =>
            (await mediator.Send(new ArchiveSession(context.Tenant(), id), cancellationToken)).ToHttp(RawJson.Of))
            .Documented("ArchiveSession", "Sessions", "Cancels what is queued or running, stops the box and takes no prompt any more.")
            .Produces<SessionDocument>()
            .RecognisesRepeats(); // an archived session stays so
}
