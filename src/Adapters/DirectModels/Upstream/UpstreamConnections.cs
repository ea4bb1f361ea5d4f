using System.Net;
using System.Net.Sockets;
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
        handler.ConnectCallback = async (context, cancellationToken) => await ConnectAsync(exceptions, context.DnsEndPoint, cancellationToken);
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
        ConnectTimeout = connectTimeout,
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(90),
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        UseCookies = false,
    };

    private static HttpClient Client(SocketsHttpHandler handler) => new(handler, disposeHandler: true) { Timeout = Timeout.InfiniteTimeSpan };

    private static async ValueTask<Stream> ConnectAsync(AddressExceptions exceptions, DnsEndPoint endpoint, CancellationToken cancellationToken)
    {
        var addresses = await Dns.GetHostAddressesAsync(endpoint.Host, cancellationToken);
        foreach (var address in addresses)
        {
            if (exceptions.WhyRefused(endpoint.Host, endpoint.Port, address) is { } reason)
                throw new PortException(PortFailureKind.Rejected, $"The model provider's host {endpoint.Host} is not on the public internet: its address is {reason}. An operator can except it in {DirectModelOptions.Section}:{nameof(DirectModelOptions.AddressExceptions)}.");
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, endpoint.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
