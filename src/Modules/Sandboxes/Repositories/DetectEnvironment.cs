using Coordinator.Modules.Kernel.Http;
using Coordinator.Modules.Kernel.Requests;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Coordinator.Modules.Sandboxes.Repositories;

/// <summary>
/// Says what a repository needs to be worked on, from its files alone, without a box. Problems: those of
/// <see cref="ISourceControl.ReadTreeAsync"/>, and <c>repository_required</c>.
/// </summary>
internal sealed record DetectEnvironment(TenantContext Tenant, string? Url, string? Branch) : ITenantRequest<DetectedEnvironment>;

/// <summary>The body of <c>POST /v1/environments:detect</c>.</summary>
internal sealed record DetectEnvironmentBody(RepositoryToDetect? Repository);

internal sealed record RepositoryToDetect(string? Url, string? Branch);

internal sealed class DetectEnvironmentHandler(ISourceControl source) : IRequestHandler<DetectEnvironment, Result<DetectedEnvironment>>
{
    private static readonly Problem Required = new("repository_required", "Say which repository: { \"repository\": { \"url\": \"https://…\", \"branch\": null } }.");

    public async Task<Result<DetectedEnvironment>> Handle(DetectEnvironment request, CancellationToken cancellationToken)
    {
        if (string.IsNullOrWhiteSpace(request.Url)) return Required;
        var branch = string.IsNullOrWhiteSpace(request.Branch) ? null : request.Branch.Trim();
        var tree = await source.ReadTreeAsync(request.Tenant.Organization, new RepositoryRef(request.Url.Trim(), branch), EnvironmentDiscovery.Wants, cancellationToken);
        if (!tree.IsSuccess) return tree.Problem;
        return EnvironmentDiscovery.Discover(tree.Value.Paths, tree.Value.Contents, tree.Value.Commit);
    }
}

internal sealed class DetectEnvironmentEndpoint : IEndpointModule
{
    public void Map(IEndpointRouteBuilder routes) => routes
        .MapPost("/v1/environments:detect", async (HttpContext context, IMediator mediator) =>
        {
            var body = await context.Request.ReadFromJsonAsync(RepositoriesJson.Default.DetectEnvironmentBody, context.RequestAborted);
            var environment = await mediator.Send(new DetectEnvironment(context.Tenant(), body?.Repository?.Url, body?.Repository?.Branch), context.RequestAborted);
            return environment.ToHttp(found => Results.Json(found, EnvironmentJson.Default.DetectedEnvironment));
        })
        .Accepts<DetectEnvironmentBody>("application/json")
        .Produces<DetectedEnvironment>()
        .WithName("DetectEnvironment")
        .WithTags("Environments")
        .WithSummary("Says what a repository needs to be worked on, from its files alone.");
}
