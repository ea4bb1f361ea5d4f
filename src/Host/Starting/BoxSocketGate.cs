using System.Net.Sockets;
using Coordinator.Host.Composition;
using Coordinator.Modules.Kernel.Http;
using Coordinator.Ports;
using Microsoft.AspNetCore.Connections.Features;

namespace Coordinator.Host.Starting;

/// <summary>
/// Boxes run other people's code, and the socket they share reaches only what is meant for boxes: not signing in, not
/// people's routes, whatever credential a box may have come by.
/// </summary>
internal sealed class BoxSocketGate(RequestDelegate next, BoxSocketPath socket)
{
    private static readonly Problem NotForBoxes = new("route_not_found", "There is nothing here for boxes.", ProblemKind.NotFound);

    public Task InvokeAsync(HttpContext context) =>
        IsFromBoxes(context) && context.GetEndpoint()?.Metadata.GetMetadata<EndpointAccess>()?.Kind != AccessKind.Box
            ? context.WriteProblemAsync(NotForBoxes)
            : next(context);

    /// <summary>The server noted the address of a network's connection when it came; of the others only the socket itself knows, as long as it is open.</summary>
    private bool IsFromBoxes(HttpContext context)
    {
        if (context.Connection.LocalIpAddress is not null) return false;
        try
        {
            return context.Features.Get<IConnectionSocketFeature>()?.Socket.LocalEndPoint is UnixDomainSocketEndPoint local && local.ToString() == socket.Path;
        }
        catch (Exception gone) when (gone is ObjectDisposedException or SocketException)
        {
            return true; // nobody waits for an answer any more, and a box may have asked
        }
    }
}
