using Coordinator.Modules.Kernel.Http;
using Coordinator.Modules.Kernel.Requests;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Coordinator.Modules.SessionAccess.Sessions;

/// <summary>Reads a session as committed, without waking it.</summary>
public sealed record GetSession(TenantContext Tenant, SessionId Session) : ITenantRequest<SessionHead>;

internal sealed class GetSessionHandler(ISessionJournal journal) : IRequestHandler<GetSession, Result<SessionHead>>
{
    public async Task<Result<SessionHead>> Handle(GetSession request, CancellationToken cancellationToken)
    {
        var head = await journal.FindHeadAsync(request.Tenant.Key(request.Session), cancellationToken);
        return head is null || head.View.IsEmpty ? SessionProblems.NotFound : head;
    }
}

internal sealed class GetSessionEndpoint : IEndpointModule
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/v1/sessions/{id}", async (SessionId id, HttpContext context, IMediator mediator, CancellationToken cancellationToken) =>
            (await mediator.Send(new GetSession(context.Tenant(), id), cancellationToken)).ToHttp(head => new RawJson(head.View)))
            .Documented("GetSession", "Sessions", "One session as it stands.")
            .Produces<SessionDocument>();
}
