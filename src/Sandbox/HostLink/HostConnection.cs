using System.Net.Http.Headers;
using Coordinator.Ports;

namespace Coordinator.Sandbox.HostLink;

/// <summary>
/// The one way out of the box: HTTP to the control plane, over the mounted unix socket or the network. Proxy variables
/// of the environment are not looked at; they lead back into this program.
/// </summary>
internal sealed class HostConnection : IDisposable
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);
    private readonly HostEndpoint endpoint;
    private readonly string token;

    public HostConnection(HostEndpoint endpoint, string token)
    {
        this.endpoint = endpoint;
        this.token = token;
        Invoker = new HttpMessageInvoker(new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            ConnectTimeout = ConnectTimeout,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            MaxResponseHeadersLength = 64,
            ConnectCallback = (context, cancellationToken) => endpoint.SocketPath is { } path
                ? DialedConnection.ToUnixSocketAsync(path, cancellationToken)
                : DialedConnection.ToHostAsync(context, cancellationToken),
        });
    }

    public HttpMessageInvoker Invoker { get; }

    public Uri WebSocketAddress(string path) => endpoint.WebSocketAddress(path);

    /// <summary>The value of <c>Authorization</c> that proves the box.</summary>
    public string Authorization => $"Bearer {token}";

    /// <summary>A request that carries the box's token.</summary>
    public HttpRequestMessage NewRequest(HttpMethod method, string path)
    {
        var request = NewAnonymousRequest(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return request;
    }

    public HttpRequestMessage NewAnonymousRequest(HttpMethod method, string path) =>
        new(method, new Uri(endpoint.BaseAddress, path)) { Version = System.Net.HttpVersion.Version11, VersionPolicy = HttpVersionPolicy.RequestVersionExact };

    /// <summary>Sends and returns at the headers; the body streams.</summary>
    /// <exception cref="HttpRequestException">The control plane did not answer.</exception>
    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Invoker.SendAsync(request, cancellationToken);

    public void Dispose() => Invoker.Dispose();
}
