using System.Net;
using System.Net.Sockets;

namespace Coordinator.Ports;

/// <summary>
/// How an HTTP client of ours dials, as the handler's <c>ConnectCallback</c>. Left to itself, the pool asks a new socket for
/// its peer outside of what it turns into an <see cref="HttpRequestException"/>: a peer that has hung up by then would end
/// the call with a bare <see cref="SocketException"/>, which nobody expects. Here the socket is asked at once, and remembers.
/// </summary>
public static class DialedConnection
{
    /// <summary>Connects to the host, or the proxy, that a handler wants: what it does by itself when it has no callback.</summary>
    /// <exception cref="SocketException">The name does not resolve, nothing answers, or the peer has hung up already.</exception>
    public static ValueTask<Stream> ToHostAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken) =>
        OpenAsync(KeptAlive(new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true }), socket => socket.ConnectAsync(context.DnsEndPoint, cancellationToken));

    /// <summary>Connects to a unix socket of this machine.</summary>
    /// <exception cref="SocketException">Nobody listens there, or the peer has hung up already.</exception>
    public static ValueTask<Stream> ToUnixSocketAsync(string path, CancellationToken cancellationToken) =>
        OpenAsync(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified), socket => socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken));

    /// <summary>A peer whose machine is gone says nothing: the system asks it, and breaks the connection half a minute later.</summary>
    private static Socket KeptAlive(Socket socket)
    {
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 15);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 5);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
        return socket;
    }

    internal static async ValueTask<Stream> OpenAsync(Socket socket, Func<Socket, ValueTask> connect)
    {
        try
        {
            await connect(socket);
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
