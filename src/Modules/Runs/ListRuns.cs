using Coordinator.Modules.Kernel.Http;
using Coordinator.Modules.Kernel.Requests;
using Coordinator.Ports;
using Coordinator.Ports.Record;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Coordinator.Modules.Runs;

/// <summary>
/// Lists the organization's runs, or one session's, the last to end first. Another organization's session has none.
/// Problem <c>limit_invalid</c> (400).
/// </summary>
public sealed record ListRuns(TenantContext Tenant, SessionId? Session, RunId? Before, int Limit) : ITenantRequest<RunPage>;

/// <summary>One page; <see cref="NextCursor"/> is null on the last.</summary>
public sealed record RunPage(IReadOnlyList<RunView> Items, string? NextCursor);

internal sealed class ListRunsValidator : IValidator<ListRuns>
{
    private const int MaxLimit = 200;

    public Problem? Validate(ListRuns request) => request.Limit is < 1 or > MaxLimit
        ? new("limit_invalid", $"limit is 1 to {MaxLimit}.", ProblemKind.Malformed)
        : null;
}

internal sealed class ListRunsHandler(IRunHistory history) : IRequestHandler<ListRuns, Result<RunPage>>
{
    public async Task<Result<RunPage>> Handle(ListRuns request, CancellationToken cancellationToken)
    {
        // One more than asked for tells whether there is another page.
        var runs = await history.ListAsync(request.Tenant.Organization, request.Session, request.Before, request.Limit + 1, cancellationToken);
        var page = runs.Take(request.Limit).Select(RunView.Of).ToList();
        return new RunPage(page, runs.Count > request.Limit ? page[^1].Id.ToString() : null);
    }
}

internal sealed class ListRunsEndpoint : IEndpointModule
{
    private const int DefaultLimit = 50;

    private static readonly Problem CursorInvalid = new("cursor_malformed", "cursor is the nextCursor of an earlier answer of this route.", ProblemKind.Malformed);
    private static readonly Problem SessionInvalid = new("parameter_invalid", "session is a session's id: ses_….", ProblemKind.Malformed);

    public void Map(IEndpointRouteBuilder routes) => routes
        .MapGet("/v1/runs", async (string? session, string? cursor, int? limit, HttpContext http, IMediator mediator, CancellationToken cancellationToken) =>
        {
            RunId? before = null;
            if (cursor is not null)
            {
                if (!RunId.TryParse(cursor, out var run)) return CursorInvalid.ToHttp();
                before = run;
            }

            SessionId? only = null;
            if (session is not null)
            {
                if (!SessionId.TryParse(session, out var id)) return SessionInvalid.ToHttp();
                only = id;
            }

            return (await mediator.Send(new ListRuns(http.Tenant(), only, before, limit ?? DefaultLimit), cancellationToken)).ToHttp(TypedResults.Ok);
        })
        .Produces<RunPage>()
        .WithName("ListRuns")
        .WithSummary("Finished runs, the last to end first.")
        .WithTags("Runs");
}
