using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;

namespace Coordinator.SandboxHost.Starting;

/// <summary>The unix socket that boxes dial, and who came through it.</summary>
internal sealed record BoxSocket(string Path)
{
    public static bool IsFromBoxes(HttpContext context) =>
        context.Features.Get<IConnectionSocketFeature>()?.Socket.LocalEndPoint is UnixDomainSocketEndPoint local
        && local.ToString() == context.RequestServices.GetRequiredService<BoxSocket>().Path;
}
