using System.Net.WebSockets;
using Coordinator.Sandbox.Bridge;

namespace Coordinator.Sandbox.HostLink;

/// <summary>Dials the control plane's bridge.</summary>
internal sealed class WebSocketDialer(HostConnection host, TimeProvider time) : IBridgeDialer
{
    private const string Subprotocol = "coordinator.bridge.v1";

    /// <summary>So long nothing may have come before the host is asked whether it is there.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(4);

    /// <summary>
    /// After so long a host that says nothing is left. Nobody tells a box that its host hangs: it is to come to the next one about when the host's
    /// peers take it for dead, and until then its turn stands still. The socket looks at its clock every three quarters of a second.
    /// </summary>
    internal static readonly TimeSpan LongestSilence = Quiet + AnswerWithin + TimeSpan.FromSeconds(1.5);


    public async ValueTask<DialResult> DialAsync(CancellationToken cancellationToken)
    {
        var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol(Subprotocol);
        socket.Options.SetRequestHeader("Authorization", host.Authorization);
        socket.Options.KeepAliveInterval = Quiet;
        socket.Options.KeepAliveTimeout = AnswerWithin;
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
