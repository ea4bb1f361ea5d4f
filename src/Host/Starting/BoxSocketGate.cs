using Coordinator.Host.Composition;
using Coordinator.Modules.Kernel.Http;
using Coordinator.Ports;

namespace Coordinator.Host.Starting;

/// <summary>
/// Boxes run other people's code, and the socket they share reaches only what is meant for boxes: not signing in, not
/// people's routes, whatever credential a box may have come by.
/// </summary>
internal sealed class BoxSocketGate(RequestDelegate next, BoxSocketPath socket)
{
    private static readonly Problem NotForBoxes = new("route_not_found", "There is nothing here for boxes.", ProblemKind.NotFound);

    public Task InvokeAsync(HttpContext context) =>
        BoxConnection.Is(context, socket.Path) && context.GetEndpoint()?.Metadata.GetMetadata<EndpointAccess>()?.Kind != AccessKind.Box
            ? context.WriteProblemAsync(NotForBoxes)
            : next(context);
}
