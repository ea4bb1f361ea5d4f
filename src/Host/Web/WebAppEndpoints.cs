using Coordinator.Modules.Kernel.Http;
using Coordinator.Ports;

namespace Coordinator.Host.Web;

/// <summary>
/// Serves the web app: its files, and its page for every address that the app routes by itself. Any other address is not found: told in the
/// app's own words to who navigates there with a browser, and as a problem to everybody else, who would take a page for an answer.
/// Files whose name holds their hash never change; the rest is asked for anew each time.
/// </summary>
internal static class WebAppEndpoints
{
    private const string Immutable = "public, max-age=31536000, immutable";
    private const string Revalidated = "no-cache";

    private static readonly string[] NotPages = ["/v1", "/model", "/demo", "/health", "/openapi", "/assets"];

    /// <summary>The app's addresses, as <c>routeOf</c> of its router has them; below the last there is one for each session.</summary>
    private static readonly string[] Pages = ["new", "settings", "sign-in", Sessions];

    private const string Sessions = "sessions";

    public static void UseWebApp(this WebApplication app)
    {
        var web = app.Services.GetRequiredService<WebApp>();
        if (!web.IsBuilt) return;
        app.UseStaticFiles(new StaticFileOptions
        {
            FileProvider = web.Files,
            OnPrepareResponse = file => file.Context.Response.Headers.CacheControl =
                file.Context.Request.Path.StartsWithSegments("/assets", StringComparison.Ordinal) ? Immutable : Revalidated,
        });
    }

    public static void MapWebApp(this WebApplication app) =>
        app.MapFallback("{**path}", (HttpContext context, WebApp web, EndpointDataSource routes) => Answer(context, web, routes)).WithoutCredential().ExcludeFromDescription();

    private static IResult Answer(HttpContext context, WebApp web, EndpointDataSource routes)
    {
        var request = context.Request;
        var isKnown = IsOfTheApp(request.Path);
        var isPage = (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)) && (isKnown || IsNavigation(request));
        if (!isPage && MethodsOf.Path(routes, request.Path) is { Count: > 0 } methods) return WrongMethod(context, methods);
        if (!isPage) return new Problem("route_not_found", $"There is nothing at {request.Method} {request.Path}.", ProblemKind.NotFound).ToHttp();
        if (!web.IsBuilt) return new Problem("web_app_missing", "The web app is not built here; the API is under /v1.", ProblemKind.NotFound).ToHttp();
        context.Response.Headers.CacheControl = Revalidated;
        if (!isKnown) context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Results.Stream(web.IndexFile.CreateReadStream(), "text/html; charset=utf-8");
    }

    private static bool IsOfTheApp(PathString path) => (path.Value ?? "").Split('/', StringSplitOptions.RemoveEmptyEntries) switch
    {
        [] => true,
        [var page] => Pages.Contains(page, StringComparer.Ordinal),
        [Sessions, _] => true,
        _ => false,
    };

    /// <summary>A browser says that it wants a page; what a page loads, and every program, does not.</summary>
    private static bool IsNavigation(HttpRequest request) =>
        request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase)
        && !Array.Exists(NotPages, prefix => request.Path.StartsWithSegments(prefix, StringComparison.OrdinalIgnoreCase))
        && !Path.HasExtension(request.Path.Value);

    private static IResult WrongMethod(HttpContext context, IReadOnlyList<string> methods)
    {
        var allowed = string.Join(", ", methods);
        context.Response.Headers.Allow = allowed;
        return new Problem("method_not_allowed", $"{context.Request.Path} takes {allowed}, not {context.Request.Method}.", ProblemKind.Malformed).ToHttp(StatusCodes.Status405MethodNotAllowed);
    }
}
