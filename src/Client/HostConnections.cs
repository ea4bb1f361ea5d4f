using System.Net.Sockets;

namespace Coordinator.Client;

/// <summary>How the host is dialed.</summary>
internal static class HostConnections
{
    /// <summary>For calls, which share connections.</summary>
    public static SocketsHttpHandler Pooled() => Handler(TimeSpan.FromMinutes(5));

    /// <summary>
    /// For what streams, each over a connection of its own: whoever follows dials anew because the one before led to a host that does not
    /// answer any more, and a pooled one would lead there too.
    /// </summary>
    public static SocketsHttpHandler Single() => Handler(TimeSpan.Zero);

    private static SocketsHttpHandler Handler(TimeSpan lifetime) => new()
    {
        ConnectCallback = DialAsync,
        ConnectTimeout = TimeSpan.FromSeconds(5),
        PooledConnectionLifetime = lifetime,
    };

    /// <summary>
    /// What the handler does by itself, and asks the socket at once for its peer: the pool asks too, outside of what it turns
    /// into an <see cref="HttpRequestException"/>, and a host that hung up meanwhile would end a call with a bare socket error.
    /// </summary>
    private static async ValueTask<Stream> DialAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            _ = socket.RemoteEndPoint;
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
