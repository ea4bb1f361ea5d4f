using System.Net;
using Coordinator.Ports;

namespace Coordinator.SandboxHost.Relay;

/// <summary>The connections to control planes; nothing of one request (cookies, redirects) reaches another.</summary>
internal sealed class ControlPlaneConnections : IDisposable
{
    public HttpMessageInvoker Invoker { get; } = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseCookies = false,
        ConnectCallback = DialedConnection.ToHostAsync,
        ConnectTimeout = TimeSpan.FromSeconds(10),
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        MaxResponseHeadersLength = 64,
        ActivityHeadersPropagator = null,
    });

    public void Dispose() => Invoker.Dispose();
}
