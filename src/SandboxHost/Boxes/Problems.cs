using System.Globalization;
using System.Text.Json;
using Coordinator.Ports;
using Coordinator.Ports.Compute.DataPlane;
using Microsoft.Net.Http.Headers;

namespace Coordinator.SandboxHost.Boxes;

/// <summary>Writes refusals and failures in the one form that the contract knows.</summary>
internal static class Problems
{
    private static readonly JsonNamingPolicy Names = JsonNamingPolicy.CamelCase;

    public static Task WriteProblemAsync(this HttpContext context, int status, string code, string detail, PortException? failure = null, string? node = null)
    {
        var kind = failure is null ? null : Names.ConvertName(failure.Kind.ToString());
        var problem = new DataPlaneProblem(status, code, detail, kind, failure?.EffectMayHaveHappened ?? false, node);
        context.Response.StatusCode = status;
        context.Response.ContentType = DataPlaneProblem.ContentType;
        if (failure?.RetryAfter is { } after) context.Response.Headers[HeaderNames.RetryAfter] = Math.Ceiling(after.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        return context.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(problem, DataPlaneJson.Default.DataPlaneProblem), context.RequestAborted).AsTask();
    }

    public static Task WriteProblemAsync(this HttpContext context, PortException failure, string node)
    {
        var (status, code) = failure.Kind switch
        {
            PortFailureKind.Rejected => (StatusCodes.Status422UnprocessableEntity, "sandbox_rejected"),
            PortFailureKind.Incapable => (StatusCodes.Status422UnprocessableEntity, DataPlaneProblem.CapabilityMissing),
            PortFailureKind.Full => (StatusCodes.Status507InsufficientStorage, "no_room"),
            PortFailureKind.Limited => (StatusCodes.Status429TooManyRequests, "limited"),
            PortFailureKind.Timeout => (StatusCodes.Status504GatewayTimeout, "driver_timeout"),
            PortFailureKind.Unavailable => (StatusCodes.Status503ServiceUnavailable, "driver_unavailable"),
            _ => (StatusCodes.Status500InternalServerError, "driver_failed"),
        };
        return context.WriteProblemAsync(status, code, failure.Message, failure, node);
    }
}
