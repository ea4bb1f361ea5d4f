using Coordinator.Modules.Kernel.Http;

namespace Coordinator.Host.Health;

/// <summary>Whether the process lives, and whether it can serve.</summary>
internal static class HealthEndpoints
{
    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/health", () => TypedResults.Json(new HealthReport("ok"), HealthJson.Default.HealthReport))
            .WithoutCredential().Produces<HealthReport>().WithName("Health").WithTags("Health").WithSummary("The process answers.");
        routes.MapGet("/health/ready", async (DependencyHealth health, CancellationToken cancellationToken) =>
            {
                var report = await health.CheckAsync(cancellationToken);
                var status = report.Status == "ready" ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
                return TypedResults.Json(report, HealthJson.Default.ReadinessReport, statusCode: status);
            })
            .WithoutCredential().Produces<ReadinessReport>().Produces<ReadinessReport>(StatusCodes.Status503ServiceUnavailable)
            .WithName("Ready").WithTags("Health").WithSummary("Each dependency, and what is wrong with it.");
    }
}
