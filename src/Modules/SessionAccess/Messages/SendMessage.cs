using Coordinator.Modules.Kernel.Contracts;
using Coordinator.Modules.Kernel.Http;
using Coordinator.Modules.Kernel.Requests;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Coordinator.Modules.SessionAccess.Messages;

/// <summary>Body of <c>POST /v1/sessions/{id}/messages</c>.</summary>
public sealed record SendMessageBody(string? Text, string? Model, MessageId? RetryOf);

/// <summary>
/// Queues a message. <see cref="Key"/> is the idempotency key over HTTP and the client's id over a WebSocket: the same
/// key names the same message on both.
/// </summary>
public sealed record SendMessage(TenantContext Tenant, SessionId Session, string? Key, string? Text, string? Model, MessageId? RetryOf) : ITenantRequest<AcceptedMessage>, IRequireRole
{
    public Role MinimumRole => Role.Member;
}

/// <summary>A message that is durably queued; position 0 runs next.</summary>
public sealed record AcceptedMessage(MessageId MessageId, int Position);

internal sealed class SendMessageValidator : IValidator<SendMessage>
{
    public Problem? Validate(SendMessage request) => PromptText.Check(request.Text);
}

internal sealed class SendMessageHandler(ISessionHost sessions, IMediator mediator, TimeProvider time) : IRequestHandler<SendMessage, Result<AcceptedMessage>>
{
    public async Task<Result<AcceptedMessage>> Handle(SendMessage request, CancellationToken cancellationToken)
    {
        var tenant = request.Tenant;
        if (request.Model is { } model)
        {
            var usable = await mediator.Send(new ValidateModel(tenant, model), cancellationToken);
            if (!usable.IsSuccess) return usable.Problem;
        }

        var key = tenant.Key(request.Session);
        var command = new SessionCommand.Prompt(
            tenant.Principal,
            MessageId.New(time),
            RequestIds.Identity(tenant, request.Key, request.Text!, request.Model, request.RetryOf),
            request.Text!,
            request.Model,
            request.RetryOf);
        var accepted = await sessions.AskAsync<SessionReply.MessageAccepted>(key, command, cancellationToken);
        return accepted.IsSuccess ? new AcceptedMessage(accepted.Value.Message, accepted.Value.Position) : accepted.Problem;
    }
}

internal sealed class SendMessageEndpoint : IEndpointModule
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/v1/sessions/{id}/messages", async (SessionId id, SendMessageBody body, HttpContext context, IMediator mediator, CancellationToken cancellationToken) =>
            (await mediator.Send(new SendMessage(context.Tenant(), id, context.IdempotencyKey(), body.Text, body.Model, body.RetryOf), cancellationToken))
                .ToHttp(accepted => Results.Json(accepted, statusCode: StatusCodes.Status202Accepted)))
            .Documented("SendMessage", "Messages", "Queues a message; messages run one at a time, in order.")
            .Produces<AcceptedMessage>(StatusCodes.Status202Accepted)
            .RecognisesRepeats(); // by the key, which the session keeps
}
