using Coordinator.Modules.Kernel.Http;
using Coordinator.Ports;
using Coordinator.Ports.Models.Relaying;

namespace Coordinator.Host.Starting;

/// <summary>
/// Until the host is ready its API answers 503 and when to come again; health and the web app's files are served. A model call
/// of an older box waits instead: its agent gives a model up that refuses it a few times, and with it the turn that the host is about
/// to take up. A box that asks for the relayed form takes a refusal outside of it for what it is, and asks again, another host if there is one.
/// </summary>
internal sealed class ReadinessGate(RequestDelegate next, HostReadiness readiness, IHostApplicationLifetime lifetime, TimeProvider time)
{
    private const string ModelCalls = "/model";

    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(60);

    private static readonly string[] Gated = ["/v1", ModelCalls, "/demo"];

    private static readonly Problem Starting = new("host_starting", "The host is starting; GET /health/ready says what it waits for.", ProblemKind.Unavailable, TimeSpan.FromSeconds(1));

    public Task InvokeAsync(HttpContext context) => readiness.IsReady ? next(context) : InvokeEarlyAsync(context);

    private async Task InvokeEarlyAsync(HttpContext context)
    {
        if (Array.Find(Gated, prefix => IsUnder(context, prefix)) is { } gate)
        {
            if (gate == ModelCalls && !context.Request.Headers.ContainsKey(RelayedAnswer.RequestHeader)) await WaitAsync(context.RequestAborted);
            if (!readiness.IsReady)
            {
                await context.WriteProblemAsync(Starting);
                return;
            }
        }

        await next(context);
    }

    /// <summary>Until the host is ready, the caller has left, the host is told to stop, or it was long enough.</summary>
    private async Task WaitAsync(CancellationToken left)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(left, lifetime.ApplicationStopping);
        await readiness.WhenReady.WaitAsync(LongestWait, time, over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static bool IsUnder(HttpContext context, string prefix) => context.Request.Path.StartsWithSegments(prefix, StringComparison.OrdinalIgnoreCase);
}
