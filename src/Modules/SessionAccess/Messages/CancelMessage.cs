using Coordinator.Modules.Kernel.Http;
using Coordinator.Modules.Kernel.Requests;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Coordinator.Modules.SessionAccess.Messages;

/// <summary>Body of <c>POST /v1/sessions/{id}/cancel</c>; without a message the running one is meant.</summary>
public sealed record CancelBody(MessageId? MessageId);

/// <summary>
/// Cancels a queued message at once, or asks the box to stop the running one. <see cref="Key"/> is the idempotency key: the session keeps
/// it, so that a repeat of "the running one" does not mean the next.
/// </summary>
public sealed record CancelMessage(TenantContext Tenant, SessionId Session, MessageId? Message, string? Key = null) : ITenantRequest<MessageRef>, IRequireRole
{
    public Role MinimumRole => Role.Member;
}

/// <summary>Which message an answer is about; null when it was "the running one".</summary>
public sealed record MessageRef(MessageId? MessageId);

internal sealed class CancelMessageHandler(ISessionHost sessions) : IRequestHandler<CancelMessage, Result<MessageRef>>
{
    public async Task<Result<MessageRef>> Handle(CancelMessage request, CancellationToken cancellationToken)
    {
        var command = new SessionCommand.Cancel(request.Tenant.Principal, request.Message, RequestIds.OfCancel(request.Tenant, request.Key, request.Message));
        var answer = await sessions.CallAsync(request.Tenant.Key(request.Session), command, cancellationToken);
        return answer.IsSuccess ? new MessageRef(request.Message) : answer.Problem;
    }
}

internal sealed class CancelMessageEndpoint : IEndpointModule
{
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/sessions/{id}/cancel", async (SessionId id, CancelBody? body, HttpContext context, IMediator mediator, CancellationToken cancellationToken) =>
            (await mediator.Send(new CancelMessage(context.Tenant(), id, body?.MessageId, context.IdempotencyKey()), cancellationToken)).ToHttp(Accepted))
            .Documented("CancelRunning", "Messages", "Stops the running message, or the one that is named.")
            .Produces<MessageRef>(StatusCodes.Status202Accepted);
        routes.MapPost("/v1/sessions/{id}/messages/{messageId}/cancel", async (SessionId id, MessageId messageId, HttpContext context, IMediator mediator, CancellationToken cancellationToken) =>
            (await mediator.Send(new CancelMessage(context.Tenant(), id, messageId, context.IdempotencyKey()), cancellationToken)).ToHttp(Accepted))
            .Documented("CancelMessage", "Messages", "Cancels a queued message, or stops it when it runs.")
            .Produces<MessageRef>(StatusCodes.Status202Accepted)
            .RecognisesRepeats(); // it names its message
    }

    private static IResult Accepted(MessageRef message) => Results.Json(message, statusCode: StatusCodes.Status202Accepted);
}
