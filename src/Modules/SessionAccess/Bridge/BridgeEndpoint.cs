using Coordinator.Modules.Kernel.Http;
using Coordinator.Modules.SessionAccess.Sockets;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Coordinator.Modules.SessionAccess.Bridge;

/// <summary>Where boxes dial in. A refusal before the socket opens is final for the box: 401, 403 or 410.</summary>
internal sealed class BridgeEndpoint(ISessionHost sessions, TimeProvider time, ILogger<BridgeConnection> logger) : IEndpointModule
{
    public const string Subprotocol = "coordinator.bridge.v1";

    public void Map(IEndpointRouteBuilder routes) => routes.MapGet("/v1/bridge", ConnectAsync).ForBoxes().ExcludeFromDescription();

    private async Task ConnectAsync(HttpContext context)
    {
        var box = await context.AuthorizeBoxAsync(sessions, context.RequestAborted);
        if ((box.Problem ?? SocketHandshake.Refuse(context, Subprotocol)) is { } problem)
        {
            await context.WriteProblemAsync(problem);
            return;
        }

        var briefings = context.RequestServices.GetRequiredService<BoxBriefings>();
        using var socket = await SocketHandshake.AcceptAsync(context, Subprotocol, time);
        await new BridgeConnection(sessions, briefings, socket, box.Value.Key, box.Value.Credential, time, logger).RunAsync(context.RequestAborted);
    }
}
