using Coordinator.Modules.Kernel.Http;
using Coordinator.Modules.Kernel.Requests;
using Coordinator.Ports;
using Coordinator.Ports.Record;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Coordinator.Modules.Runs;

/// <summary>One run. Problem <c>run_not_found</c> (404): there is none, or it is another organization's.</summary>
public sealed record GetRun(TenantContext Tenant, RunId Run) : ITenantRequest<RunView>;

internal sealed class GetRunHandler(IRunHistory history) : IRequestHandler<GetRun, Result<RunView>>
{
    public async Task<Result<RunView>> Handle(GetRun request, CancellationToken cancellationToken) =>
        await history.FindAsync(request.Tenant.Organization, request.Run, cancellationToken) is { } found ? RunView.Of(found) : GetRunEndpoint.NotFound;
}

internal sealed class GetRunEndpoint : IEndpointModule
{
    public static readonly Problem NotFound = new("run_not_found", "There is no such run. A run is written when its message has ended.", ProblemKind.NotFound);

    public void Map(IEndpointRouteBuilder routes) => routes
        .MapGet("/v1/runs/{id}", async (string id, HttpContext http, IMediator mediator, CancellationToken cancellationToken) =>
            RunId.TryParse(id, out var run)
                ? (await mediator.Send(new GetRun(http.Tenant(), run), cancellationToken)).ToHttp(TypedResults.Ok)
                : NotFound.ToHttp())
        .Produces<RunView>()
        .WithName("GetRun")
        .WithSummary("One finished run with its place in the hash chain.")
        .WithTags("Runs");
}
