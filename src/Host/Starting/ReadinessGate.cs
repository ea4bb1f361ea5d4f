using Coordinator.Modules.Kernel.Http;
using Coordinator.Ports;

namespace Coordinator.Host.Starting;

/// <summary>Until the host is ready its API answers 503 and when to come again; health and the web app's files are served.</summary>
internal sealed class ReadinessGate(RequestDelegate next, HostReadiness readiness)
{
    private static readonly string[] Gated = ["/v1", "/model", "/demo"];

    private static readonly Problem Starting = new("host_starting", "The host is starting; GET /health/ready says what it waits for.", ProblemKind.Unavailable, TimeSpan.FromSeconds(1));

    public Task InvokeAsync(HttpContext context) =>
        readiness.IsReady || !Array.Exists(Gated, prefix => context.Request.Path.StartsWithSegments(prefix, StringComparison.OrdinalIgnoreCase))
            ? next(context)
            : context.WriteProblemAsync(Starting);
}
