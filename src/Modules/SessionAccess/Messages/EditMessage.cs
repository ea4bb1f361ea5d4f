using Coordinator.Modules.Kernel.Http;
using Coordinator.Modules.Kernel.Requests;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Coordinator.Modules.SessionAccess.Messages;

/// <summary>Body of <c>PATCH /v1/sessions/{id}/messages/{messageId}</c>.</summary>
public sealed record EditMessageBody(string? Text);

/// <summary>Replaces the text of a message that is still queued.</summary>
public sealed record EditMessage(TenantContext Tenant, SessionId Session, MessageId Message, string? Text) : ITenantRequest<MessageRef>, IRequireRole
{
    public Role MinimumRole => Role.Member;
}

internal sealed class EditMessageValidator : IValidator<EditMessage>
{
    public Problem? Validate(EditMessage request) => PromptText.Check(request.Text);
}

internal sealed class EditMessageHandler(ISessionHost sessions) : IRequestHandler<EditMessage, Result<MessageRef>>
{
    public async Task<Result<MessageRef>> Handle(EditMessage request, CancellationToken cancellationToken)
    {
        var command = new SessionCommand.EditMessage(request.Tenant.Principal, request.Message, request.Text!);
        var answer = await sessions.CallAsync(request.Tenant.Key(request.Session), command, cancellationToken);
        return answer.IsSuccess ? new MessageRef(request.Message) : answer.Problem;
    }
}

internal sealed class EditMessageEndpoint : IEndpointModule
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes.MapPatch("/v1/sessions/{id}/messages/{messageId}", async (SessionId id, MessageId messageId, EditMessageBody body, HttpContext context, IMediator mediator, CancellationToken cancellationToken) =>
            (await mediator.Send(new EditMessage(context.Tenant(), id, messageId, body.Text), cancellationToken)).ToHttp(message => Results.Json(message)))
            .Documented("EditMessage", "Messages", "Replaces the text of a queued message.")
            .Produces<MessageRef>();
}
