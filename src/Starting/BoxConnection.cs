using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;

namespace Coordinator.Starting;

/// <summary>Tells who came through the unix socket that boxes share from who came over the network.</summary>
internal static class BoxConnection
{
    /// <summary>The server noted the address of a network's connection when it came; of the others only the socket itself knows, as long as it is open.</summary>
    public static bool Is(HttpContext context, string? socketPath)
    {
        if (context.Connection.LocalIpAddress is not null) return false;
        try
        {
            return context.Features.Get<IConnectionSocketFeature>()?.Socket.LocalEndPoint is UnixDomainSocketEndPoint local && local.ToString() == socketPath;
        }
        catch (Exception gone) when (gone is ObjectDisposedException or SocketException)
        {
            return true; // nobody waits for an answer any more, and a box may have asked
        }
    }
}
