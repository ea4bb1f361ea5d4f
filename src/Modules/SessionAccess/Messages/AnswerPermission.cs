using Coordinator.Modules.Kernel.Http;
using Coordinator.Modules.Kernel.Requests;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Coordinator.Modules.SessionAccess.Messages;

/// <summary>Body of <c>POST /v1/sessions/{id}/permissions/{permissionId}</c>.</summary>
public sealed record AnswerPermissionBody(PermissionDecision? Decision, string? Note);

/// <summary>Answers an agent's open question once. <see cref="Key"/> is the idempotency key, by which the session tells a second try from somebody else's answer.</summary>
public sealed record AnswerPermission(TenantContext Tenant, SessionId Session, PermissionId Permission, PermissionDecision? Decision, string? Note, string? Key = null) : ITenantRequest<PermissionRef>, IRequireRole
{
    public Role MinimumRole => Role.Member;
}

/// <summary>Which question an answer is about.</summary>
public sealed record PermissionRef(PermissionId PermissionId);

internal sealed class AnswerPermissionValidator : IValidator<AnswerPermission>
{
    public const int MaxNoteLength = 2_000;

    public Problem? Validate(AnswerPermission request)
    {
        if (request.Decision is null) return new("decision_required", "decision is one of once, session, reject.");
        return request.Note is { Length: > MaxNoteLength } ? new("note_too_long", $"A note is at most {MaxNoteLength} characters.") : null;
    }
}

internal sealed class AnswerPermissionHandler(ISessionHost sessions) : IRequestHandler<AnswerPermission, Result<PermissionRef>>
{
    public async Task<Result<PermissionRef>> Handle(AnswerPermission request, CancellationToken cancellationToken)
    {
        var decision = request.Decision!.Value;
        var identity = RequestIds.OfAnswer(request.Tenant, request.Key, request.Permission, decision, request.Note);
        var command = new SessionCommand.AnswerPermission(request.Tenant.Principal, request.Permission, decision, request.Note, identity);
        var answer = await sessions.CallAsync(request.Tenant.Key(request.Session), command, cancellationToken);
        return answer.IsSuccess ? new PermissionRef(request.Permission) : answer.Problem;
    }
}

internal sealed class AnswerPermissionEndpoint : IEndpointModule
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/v1/sessions/{id}/permissions/{permissionId}", async (SessionId id, PermissionId permissionId, AnswerPermissionBody body, HttpContext context, IMediator mediator, CancellationToken cancellationToken) =>
            (await mediator.Send(new AnswerPermission(context.Tenant(), id, permissionId, body.Decision, body.Note, context.IdempotencyKey()), cancellationToken)).ToHttp(permission => Results.Json(permission)))
            .Documented("AnswerPermission", "Permissions", "Answers an open question of the agent.")
            .Produces<PermissionRef>();
}
