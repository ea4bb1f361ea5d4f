using System.Net.Sockets;
using Coordinator.Adapters.LocalSandbox;
using Microsoft.AspNetCore.Connections.Features;

namespace Coordinator.SandboxHost.Starting;

/// <summary>The unix socket that boxes dial, and who came through it.</summary>
internal sealed record BoxSocket(string Path)
{
    public static string Prepare(IConfiguration configuration)
    {
        try
        {
            return HostSocket.Prepare(configuration);
        }
        catch (Exception failure) when (failure is InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            throw new SandboxHostMisconfiguredException($"The socket for boxes cannot be made: {failure.Message}");
        }
    }

    public static bool IsFromBoxes(HttpContext context) =>
        context.Features.Get<IConnectionSocketFeature>()?.Socket.LocalEndPoint is UnixDomainSocketEndPoint local
        && local.ToString() == context.RequestServices.GetRequiredService<BoxSocket>().Path;
}
