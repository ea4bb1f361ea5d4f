using Coordinator.Modules.Kernel.Http;
using Coordinator.Modules.Kernel.Requests;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Coordinator.Modules.SessionAccess.Sessions;

/// <summary>Body of <c>PATCH /v1/sessions/{id}</c>.</summary>
public sealed record RenameSessionBody(string? Title);

/// <summary>Gives a session another title.</summary>
public sealed record RenameSession(TenantContext Tenant, SessionId Session, string? Title) : ITenantRequest<SessionView>, IRequireRole
{
    public Role MinimumRole => Role.Member;
}

internal sealed class RenameSessionValidator : IValidator<RenameSession>
{
    public Problem? Validate(RenameSession request) => SessionTitle.Check(request.Title ?? string.Empty);
}

internal sealed class RenameSessionHandler(ISessionHost sessions) : IRequestHandler<RenameSession, Result<SessionView>>
{
    public Task<Result<SessionView>> Handle(RenameSession request, CancellationToken cancellationToken) =>
        sessions.ViewAfterAsync(request.Tenant.Key(request.Session), new SessionCommand.Rename(request.Tenant.Principal, request.Title!.Trim()), cancellationToken);
}

internal sealed class RenameSessionEndpoint : IEndpointModule
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes.MapPatch("/v1/sessions/{id}", async (SessionId id, RenameSessionBody body, HttpContext context, IMediator mediator, CancellationToken cancellationToken) =>
            (await mediator.Send(new RenameSession(context.Tenant(), id, body.Title), cancellationToken)).ToHttp(RawJson.Of))
            .Documented("RenameSession", "Sessions", "Gives a session another title.")
            .Produces<SessionDocument>();
}
