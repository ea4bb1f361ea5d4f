using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Coordinator.Modules.SessionAccess;

/// <summary>What the OpenAPI document says of an endpoint.</summary>
internal static class EndpointDocs
{
    public static RouteHandlerBuilder Documented(this RouteHandlerBuilder endpoint, string name, string tag, string summary) =>
        endpoint.WithName(name).WithTags(tag).WithSummary(summary);
}
