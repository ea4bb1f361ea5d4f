using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Coordinator.Ports;
using Coordinator.Ports.Compute.DataPlane;

namespace Coordinator.Adapters.Modal.DataPlane;

/// <summary>A data plane's refusal or failure in the port's words; <see cref="Code"/> tells apart what the kind does not.</summary>
internal sealed record DataPlaneFailure(PortException Failure, string? Code)
{
    private const int LongestDetail = 500;

    /// <summary>An answer that is no success.</summary>
    public static DataPlaneFailure Of(Uri node, DataPlaneCall call, HttpStatusCode status, HttpResponseHeaders headers, byte[] body, DateTimeOffset now)
    {
        var problem = Read(body);
        var kind = KindOf(status, problem);
        var detail = problem?.Detail is { Length: > 0 } told ? told[..Math.Min(told.Length, LongestDetail)] : "It says no more.";

        // What answered may stand in front of the data plane (a proxy that gave up waiting): then nobody knows.
        var inDoubt = call.Changes && (problem?.EffectMayHaveHappened ?? (int)status >= 500);
        var message = kind is PortFailureKind.Unauthorized
            ? $"The data plane {node} refuses our signature ({(int)status}): {detail} See {ModalSandboxOptions.Section}:KeyId and :Secret."
            : $"The data plane {node} answered {(int)status}: {detail}";
        return new(new(kind, message, inDoubt, RetryAfter(headers, now)), problem?.Code);
    }

    /// <summary>There was no answer.</summary>
    public static DataPlaneFailure Unreached(Uri node, DataPlaneCall call, HttpRequestException failure)
    {
        var neverConnected = failure.HttpRequestError is HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError;
        return new(new(PortFailureKind.Unavailable, $"The data plane {node} cannot be reached: {failure.Message}", call.Changes && !neverConnected, inner: failure), null);
    }

    public static DataPlaneFailure Silent(Uri node, DataPlaneCall call) =>
        new(new(PortFailureKind.Timeout, $"The data plane {node} did not answer within {call.Limit.TotalSeconds:0} seconds.", call.Changes), null);

    public static DataPlaneFailure Corrupt(Uri node, DataPlaneCall call, Exception? inner = null) =>
        new(new(PortFailureKind.Corrupt, $"The data plane {node} answered {call.Method} {call.PathAndQuery.Split('?')[0]} with what cannot be understood.", call.Changes, inner: inner), null);

    private static PortFailureKind KindOf(HttpStatusCode status, DataPlaneProblem? problem)
    {
        if (status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden) return PortFailureKind.Unauthorized;
        if (problem?.Kind is { } text && Enum.TryParse<PortFailureKind>(text, ignoreCase: true, out var kind) && Enum.IsDefined(kind)) return kind;
        return status switch
        {
            HttpStatusCode.TooManyRequests => PortFailureKind.Limited,
            HttpStatusCode.InsufficientStorage => PortFailureKind.Full,
            HttpStatusCode.GatewayTimeout or HttpStatusCode.RequestTimeout => PortFailureKind.Timeout,
            HttpStatusCode.MisdirectedRequest => PortFailureKind.Unavailable,
            HttpStatusCode.NotImplemented => PortFailureKind.Rejected,
            >= HttpStatusCode.InternalServerError => PortFailureKind.Unavailable,
            >= HttpStatusCode.BadRequest => PortFailureKind.Rejected,
            _ => PortFailureKind.Corrupt,
        };
    }

    private static DataPlaneProblem? Read(byte[] body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, DataPlaneJson.Default.DataPlaneProblem);
        }
        catch (JsonException)
        {
            // Not the data plane's own word; the status alone speaks then.
            return null;
        }
    }

    private static TimeSpan? RetryAfter(HttpResponseHeaders headers, DateTimeOffset now) =>
        headers.RetryAfter is not { } after ? null : after.Delta ?? (after.Date is { } date && date > now ? date - now : null);
}

/// <summary>Carries a failure, with its code, to where the two are looked at together.</summary>
internal sealed class DataPlaneException(DataPlaneFailure failure) : Exception(failure.Failure.Message, failure.Failure)
{
    public DataPlaneFailure Failed { get; } = failure;
}
