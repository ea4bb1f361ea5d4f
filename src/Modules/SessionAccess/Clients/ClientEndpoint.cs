using Coordinator.Modules.Kernel.Authentication;
using Coordinator.Modules.Kernel.Http;
using Coordinator.Modules.SessionAccess.Sockets;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Coordinator.Modules.SessionAccess.Clients;

/// <summary>The WebSocket of a session for people and programs.</summary>
internal sealed class ClientEndpoint(ISessionHost sessions, CallerResolver callers, ReturnSchedule returns, TimeProvider time, ILogger<ClientConnection> logger) : IEndpointModule
{
    public const string Subprotocol = "coordinator.v1";

    public void Map(IEndpointRouteBuilder routes) => routes.MapGet("/v1/sessions/{id}/ws", ConnectAsync).ExcludeFromDescription();

    private async Task ConnectAsync(SessionId id, HttpContext context, IMediator mediator)
    {
        if (SocketHandshake.Refuse(context, Subprotocol) is { } problem)
        {
            await context.WriteProblemAsync(problem);
            return;
        }

        using var socket = await SocketHandshake.AcceptAsync(context, Subprotocol, time);
        var services = new ClientServices(sessions, callers, new ClientCommands(mediator), returns, time, logger);
        var connection = new ClientConnection(services, socket, context.Features.GetRequiredFeature<CallerClaim>(), context.Tenant(), id);
        await connection.RunAsync(context.RequestAborted);
    }
}
