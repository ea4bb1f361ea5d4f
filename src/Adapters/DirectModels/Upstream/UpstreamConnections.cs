using System.Net;
using Coordinator.Ports;
using Microsoft.Extensions.Options;

namespace Coordinator.Adapters.DirectModels.Upstream;

/// <summary>
/// The HTTP clients of all model calls. An address that a tenant gave goes through the guarded one, which looks at the
/// addresses a name resolves to and connects to those very ones. Neither follows redirects: a key goes only where it was
/// meant to go.
/// </summary>
internal sealed class UpstreamConnections : IDisposable
{
    private readonly HttpClient trusted;
    private readonly HttpClient guarded;

    public UpstreamConnections(IOptions<DirectModelOptions> options)
    {
        var exceptions = AddressExceptions.Parse(options.Value.AddressExceptions);
        var connectTimeout = options.Value.ConnectTimeout;
        trusted = Client(Handler(connectTimeout));
        var handler = Handler(connectTimeout);
        handler.UseProxy = false;
        var guard = new GuardedConnection(exceptions);
        handler.ConnectCallback = (context, cancellationToken) => guard.OpenAsync(context.DnsEndPoint, cancellationToken);
        guarded = Client(handler);
    }

    public HttpClient For(bool trustedAddress) => trustedAddress ? trusted : guarded;

    public void Dispose()
    {
        trusted.Dispose();
        guarded.Dispose();
    }

    private static SocketsHttpHandler Handler(TimeSpan connectTimeout) => new()
    {
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectCallback = DialedConnection.ToHostAsync,
        ConnectTimeout = connectTimeout,
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(90),
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        UseCookies = false,
    };

    private static HttpClient Client(SocketsHttpHandler handler) => new(handler, disposeHandler: true) { Timeout = Timeout.InfiniteTimeSpan };
}
