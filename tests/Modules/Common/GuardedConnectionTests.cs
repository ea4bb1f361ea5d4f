using System.Net;
using System.Net.Sockets;
using Coordinator.Ports;
using Xunit;

namespace Coordinator.Tests.Modules.Common;

/// <summary>What dials a host that a tenant named gives the pool above it nothing that it would not understand.</summary>
public sealed class GuardedConnectionTests
{
    [Fact]
    public async Task A_peer_that_hangs_up_at_once_leaves_a_connection_that_still_says_where_it_leads()
    {
        using var peer = new TcpListener(IPAddress.Loopback, 0);
        peer.Start();
        var endpoint = (IPEndPoint)peer.LocalEndpoint;
        var guard = new GuardedConnection(AddressExceptions.Parse([$"127.0.0.1:{endpoint.Port}"]));

        await using var stream = (NetworkStream)await guard.OpenAsync(new DnsEndPoint("127.0.0.1", endpoint.Port), CancellationToken.None);
        using (var accepted = await peer.AcceptSocketAsync()) accepted.LingerState = new LingerOption(true, 0);

        await Assert.ThrowsAnyAsync<IOException>(async () => await stream.ReadExactlyAsync(new byte[1]));
        Assert.Equal(endpoint.Port, ((IPEndPoint)stream.Socket.RemoteEndPoint!).Port);
    }
}
