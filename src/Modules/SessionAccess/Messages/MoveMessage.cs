using Coordinator.Modules.Kernel.Http;
using Coordinator.Modules.Kernel.Requests;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Coordinator.Modules.SessionAccess.Messages;

/// <summary>Body of <c>POST /v1/sessions/{id}/messages/{messageId}/move</c>; null puts it last.</summary>
public sealed record MoveMessageBody(MessageId? Before);

/// <summary>Puts a queued message before another, or last.</summary>
public sealed record MoveMessage(TenantContext Tenant, SessionId Session, MessageId Message, MessageId? Before) : ITenantRequest<MessageRef>, IRequireRole
{
    public Role MinimumRole => Role.Member;
}

internal sealed class MoveMessageHandler(ISessionHost sessions) : IRequestHandler<MoveMessage, Result<MessageRef>>
{
    public async Task<Result<MessageRef>> Handle(MoveMessage request, CancellationToken cancellationToken)
    {
        var command = new SessionCommand.MoveMessage(request.Tenant.Principal, request.Message, request.Before);
        var answer = await sessions.CallAsync(request.Tenant.Key(request.Session), command, cancellationToken);
        return answer.IsSuccess ? new MessageRef(request.Message) : answer.Problem;
    }
}

internal sealed class MoveMessageEndpoint : IEndpointModule
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/v1/sessions/{id}/messages/{messageId}/move", async (SessionId id, MessageId messageId, MoveMessageBody body, HttpContext context, IMediator mediator, CancellationToken cancellationToken) =>
            (await mediator.Send(new MoveMessage(context.Tenant(), id, messageId, body.Before), cancellationToken)).ToHttp(message => Results.Json(message)))
            .Documented("MoveMessage", "Messages", "Puts a queued message before another, or last.")
            .Produces<MessageRef>();
}
