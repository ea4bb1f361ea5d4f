using Coordinator.Ports.Identity;
using Microsoft.AspNetCore.Http;

namespace Coordinator.Modules.Kernel.Authentication;

/// <summary>The cookie that holds a browser session's secret (<c>cs_…</c>).</summary>
public static class BrowserCookie
{
    public const string Name = "coordinator_session";

    /// <summary>Hands the browser its session: unreadable to scripts, sent to this host only, and over TLS alone when the request came so.</summary>
    public static void Write(HttpContext context, IssuedSecret secret) =>
        context.Response.Cookies.Append(Name, secret.Secret, Options(context, secret.ExpiresAt));

    /// <summary>Takes the browser's session back.</summary>
    public static void Clear(HttpContext context) => context.Response.Cookies.Delete(Name, Options(context, null));

    private static CookieOptions Options(HttpContext context, DateTimeOffset? expires) => new()
    {
        HttpOnly = true,
        Secure = context.Request.IsHttps,
        SameSite = SameSiteMode.Lax,
        Path = "/",
        Expires = expires,
        IsEssential = true,
    };
}
