using Coordinator.Ports;
using Microsoft.AspNetCore.Http;

namespace Coordinator.Modules.Kernel.Authentication;

/// <summary>
/// Keeps other sites from using a visitor's cookie: what changes something, and every WebSocket, must come from a page of
/// this host. A browser sends <c>Origin</c> with each of these and lets no page choose it.
/// </summary>
internal static class OriginCheck
{
    private static readonly Problem Refused = new("origin_refused", "A browser session works only from a page of this host; programs send an API key.", ProblemKind.Forbidden);

    /// <summary>The refusal, or null. <paramref name="originNeeded"/>: its absence is a refusal too.</summary>
    public static Problem? Check(HttpContext context, bool originNeeded)
    {
        if (!NeedsOrigin(context)) return null;
        var origins = context.Request.Headers.Origin;
        if (origins.Count == 0) return originNeeded ? Refused : null;
        return origins.Count == 1 && IsThisHost(origins[0], context.Request) ? null : Refused;
    }

    private static bool NeedsOrigin(HttpContext context) =>
        context.WebSockets.IsWebSocketRequest
        || !(HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method) || HttpMethods.IsOptions(context.Request.Method));

    private static bool IsThisHost(string? origin, HttpRequest request)
    {
        if (!Uri.TryCreate(origin, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https")) return false;
        var host = request.Host;
        var port = host.Port ?? (uri.Scheme == "https" ? 443 : 80);
        return string.Equals(uri.Host, host.Host, StringComparison.OrdinalIgnoreCase) && uri.Port == port;
    }
}
