using Microsoft.AspNetCore.Routing;

namespace Coordinator.Modules.Kernel.Http;

/// <summary>
/// Maps the routes of one use case. Found by convention in every module's assembly; each use case file holds its
/// request, its handler and its endpoint.
/// </summary>
public interface IEndpointModule
{
    void Map(IEndpointRouteBuilder routes);
}
