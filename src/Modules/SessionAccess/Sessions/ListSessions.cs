using Coordinator.Modules.Kernel.Http;
using Coordinator.Modules.Kernel.Requests;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Coordinator.Modules.SessionAccess.Sessions;

/// <summary>A page of the organization's sessions, newest first. The cursor is the last id of the page before.</summary>
public sealed record ListSessions(TenantContext Tenant, int? Limit, string? Cursor) : ITenantRequest<SessionPage>
{
    public const int MaxLimit = 200;
    public const int DefaultLimit = 50;
}

/// <summary>Heads of a page, and the cursor of the next one (null: this was the last).</summary>
public sealed record SessionPage(IReadOnlyList<SessionHead> Heads, string? NextCursor);

internal sealed class ListSessionsValidator : IValidator<ListSessions>
{
    public Problem? Validate(ListSessions request)
    {
        if (request.Limit is < 1 or > ListSessions.MaxLimit) return SessionProblems.LimitInvalid(ListSessions.MaxLimit);
        return request.Cursor is { } cursor && !SessionId.TryParse(cursor, out _) ? SessionProblems.CursorMalformed : null;
    }
}

internal sealed class ListSessionsHandler(ISessionJournal journal) : IRequestHandler<ListSessions, Result<SessionPage>>
{
    public async Task<Result<SessionPage>> Handle(ListSessions request, CancellationToken cancellationToken)
    {
        var limit = request.Limit ?? ListSessions.DefaultLimit;
        SessionId? before = request.Cursor is { } cursor && SessionId.TryParse(cursor, out var last) ? last : null;
        var heads = await journal.ListHeadsAsync(request.Tenant.Organization, before, limit + 1, cancellationToken);
        return heads.Count > limit
            ? new SessionPage([.. heads.Take(limit)], heads[limit - 1].Key.Session.ToString())
            : new SessionPage(heads, null);
    }
}

internal sealed class ListSessionsEndpoint : IEndpointModule
{
    public void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/v1/sessions", async (int? limit, string? cursor, HttpContext context, IMediator mediator, CancellationToken cancellationToken) =>
            (await mediator.Send(new ListSessions(context.Tenant(), limit, cursor), cancellationToken))
                .ToHttp(page => RawJson.Page(page.Heads.Where(head => !head.View.IsEmpty).Select(head => head.View), page.NextCursor)))
            .Documented("ListSessions", "Sessions", "The organization's sessions, newest first.")
            .Produces<PageDocument<SessionDocument>>();
}
