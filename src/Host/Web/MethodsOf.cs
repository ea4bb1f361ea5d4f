using Microsoft.AspNetCore.Routing.Template;

namespace Coordinator.Host.Web;

/// <summary>
/// Which methods a path takes. The page for unknown addresses takes every method of every path, and so hides from the
/// framework that a known path was asked with the wrong one.
/// </summary>
internal static class MethodsOf
{
    /// <summary>The methods of all routes that fit, in order; none for a path that is not there.</summary>
    public static IReadOnlyList<string> Path(EndpointDataSource routes, PathString path) =>
        [.. routes.Endpoints.OfType<RouteEndpoint>()
            .Where(route => route.RoutePattern.RawText is { Length: > 0 } template && !template.StartsWith('{') && Fits(template, path))
            .SelectMany(route => route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? [])
            .Distinct().Order(StringComparer.Ordinal)];

    private static bool Fits(string template, PathString path) => new TemplateMatcher(TemplateParser.Parse(template), []).TryMatch(path, []);
}
