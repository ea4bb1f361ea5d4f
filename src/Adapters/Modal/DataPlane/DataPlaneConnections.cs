using System.Net;
using Coordinator.Ports;
using Flurl.Http;

namespace Coordinator.Adapters.Modal.DataPlane;

/// <summary>The HTTP connections to all data planes. Redirects are not followed: a signature is for one address.</summary>
internal sealed class DataPlaneConnections : IDisposable
{
    private readonly HttpClient http = new(
        new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            ConnectCallback = DialedConnection.ToHostAsync,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(60),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        },
        disposeHandler: true) { Timeout = Timeout.InfiniteTimeSpan };

    public DataPlaneConnections() => Client = new FlurlClient(http);

    public IFlurlClient Client { get; }

    public void Dispose()
    {
        Client.Dispose();
        http.Dispose();
    }
}
