using Coordinator.Modules.Models.Metering;
using Coordinator.Ports;
using Coordinator.Ports.Models;
using Microsoft.AspNetCore.Http;

namespace Coordinator.Modules.Models.Gateway;

/// <summary>
/// Passes a provider's refusal on. What is the agent's business (a limit, a bad request, a provider that is down) goes
/// through as it is, <c>Retry-After</c> included; what is the organization's business (its key, its provider's address)
/// is said in words that name what to do.
/// </summary>
internal static class UpstreamRefusal
{
    public static async Task WriteAsync(HttpContext context, CallWire wire, string provider, ModelResponse upstream)
    {
        if (OfOrganization(provider, upstream.Status) is { } problem)
        {
            await WireRefusal.WriteAsync(context, wire, problem.Problem, problem.Status);
            return;
        }

        if (upstream.Headers.TryGetValue("Retry-After", out var retryAfter)) context.Response.Headers.RetryAfter = retryAfter;
        if (!upstream.Headers.TryGetValue("Content-Type", out var type) || !type.StartsWith("application/json", StringComparison.OrdinalIgnoreCase))
        {
            await WireRefusal.WriteAsync(context, wire, new("model_error", $"The model provider {provider} answered {upstream.Status}."), upstream.Status);
            return;
        }

        context.Response.StatusCode = upstream.Status;
        context.Response.ContentType = type;
        await upstream.Body.CopyToAsync(context.Response.Body, context.RequestAborted);
    }

    private static (Problem Problem, int Status)? OfOrganization(string provider, int status) => status switch
    {
        StatusCodes.Status401Unauthorized or StatusCodes.Status403Forbidden => (
            new("model_key_refused", $"The model provider {provider} refused this organization's key ({status}). Set its secret models/{provider} anew."), status),
        < 400 => (
            new("model_error", $"The model provider {provider} answered {status}, which is no answer to a model call. Check its base URL."), StatusCodes.Status502BadGateway),
        _ => null,
    };
}
