namespace Coordinator.Host.Web;

/// <summary>
/// Headers that every answer carries: no script but our own, no framing, no guessing of types, no referrer. Only the answer that opens a
/// WebSocket has nothing that they could be about, and would keep them for as long as the socket is open.
/// </summary>
internal sealed class SecurityHeaders(RequestDelegate next)
{
    private const string ContentSecurityPolicy =
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
        + "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

    public Task InvokeAsync(HttpContext context)
    {
        if (context.Request.Headers.SecWebSocketKey.Count > 0) context.Response.OnStarting(AddUnlessOpenedAsync, context);
        else Add(context);
        return next(context);
    }

    private static Task AddUnlessOpenedAsync(object state)
    {
        var context = (HttpContext)state;
        if (context.Response.StatusCode != StatusCodes.Status101SwitchingProtocols) Add(context);
        return Task.CompletedTask;
    }

    private static void Add(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";
        if (context.Request.IsHttps) headers.StrictTransportSecurity = "max-age=31536000";
    }
}
