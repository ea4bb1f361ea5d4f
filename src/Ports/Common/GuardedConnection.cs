using System.Net;
using System.Net.Sockets;

namespace Coordinator.Ports;

/// <summary>Thrown in place of a connection to an address that no tenant may reach; the message says what the address is, for a person.</summary>
public sealed class AddressRefusedException(string host, string reason) : IOException($"{host} is not on the public internet: its address is {reason}.")
{
    /// <summary>What the address is, as a few words.</summary>
    public string Reason { get; } = reason;
}

/// <summary>Asks for the addresses of a host.</summary>
public delegate Task<IPAddress[]> HostResolver(string host, CancellationToken cancellationToken);

/// <summary>
/// How a host that a tenant named is dialed: its name is resolved once, every address of the answer is judged by
/// <see cref="AddressGuard"/> and the operator's exceptions, and a judged one is connected to. A name server that answers
/// something else a moment later cannot change the target. For <c>SocketsHttpHandler.ConnectCallback</c>; a proxy would
/// resolve again, so there must be none.
/// </summary>
public sealed class GuardedConnection(AddressExceptions exceptions, HostResolver? resolve = null)
{
    private readonly HostResolver resolve = resolve ?? Dns.GetHostAddressesAsync;

    /// <exception cref="AddressRefusedException">One of its addresses may not be dialed; nothing was.</exception>
    /// <exception cref="SocketException">The name does not resolve, or nothing answers.</exception>
    public async ValueTask<Stream> OpenAsync(DnsEndPoint endpoint, CancellationToken cancellationToken)
    {
        var addresses = await JudgedAsync(endpoint.Host, endpoint.Port, cancellationToken);
        return await DialedConnection.OpenAsync(
            new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true }, socket => socket.ConnectAsync(addresses, endpoint.Port, cancellationToken));
    }

    private async ValueTask<IPAddress[]> JudgedAsync(string host, int port, CancellationToken cancellationToken)
    {
        if (exceptions.AddressOf(host, port) is { } given) return [given];
        var addresses = IPAddress.TryParse(host.Trim('[', ']'), out var literal) ? [literal] : await resolve(host, cancellationToken);
        if (addresses.Length == 0) throw new SocketException((int)SocketError.HostNotFound);
        foreach (var address in addresses)
        {
            if (exceptions.WhyRefused(host.Trim('[', ']'), port, address) is { } reason) throw new AddressRefusedException(host, reason);
        }

        return addresses;
    }
}
