using System.Net.WebSockets;
using Coordinator.Sandbox.Bridge;

namespace Coordinator.Sandbox.HostLink;

/// <summary>Dials the control plane's bridge.</summary>
internal sealed class WebSocketDialer(HostConnection host, TimeProvider time) : IBridgeDialer
{
    private const string Subprotocol = "coordinator.bridge.v1";
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);

    public async ValueTask<DialResult> DialAsync(CancellationToken cancellationToken)
    {
        var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol(Subprotocol);
        socket.Options.SetRequestHeader("Authorization", host.Authorization);
        socket.Options.KeepAliveInterval = KeepAlive;
        socket.Options.KeepAliveTimeout = KeepAlive;
        socket.Options.CollectHttpResponseDetails = true;
        try
        {
            await socket.ConnectAsync(host.WebSocketAddress("v1/bridge"), host.Invoker, cancellationToken);
            return new DialResult.Open(new BridgeWebSocket(socket, time));
        }
        catch (Exception exception) when (exception is WebSocketException or HttpRequestException or IOException)
        {
            var status = (int)socket.HttpStatusCode;
            socket.Dispose();
            return status >= 300 ? new DialResult.Refused(status) : new DialResult.Unreachable((exception.InnerException ?? exception).Message);
        }
    }
}
