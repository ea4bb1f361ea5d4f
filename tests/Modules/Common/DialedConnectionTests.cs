using System.Net;
using System.Net.Sockets;
using Coordinator.Ports;
using Xunit;

namespace Coordinator.Tests.Modules.Common;

/// <summary>What an HTTP client of ours dials gives the pool above it nothing that it would not understand.</summary>
public sealed class DialedConnectionTests
{
    [Fact]
    public async Task A_peer_that_hangs_up_before_the_pool_asks_for_it_is_a_failed_request_and_no_bare_socket_error()
    {
        using var peer = new TcpListener(IPAddress.Loopback, 0);
        peer.Start();
        var port = ((IPEndPoint)peer.LocalEndpoint).Port;
        NetworkStream? dialed = null;
        using var client = new HttpMessageInvoker(new SocketsHttpHandler
        {
            UseProxy = false,
            ConnectCallback = async (context, cancellationToken) =>
            {
                dialed = (NetworkStream)await DialedConnection.ToHostAsync(context, cancellationToken);
                using (var accepted = await peer.AcceptSocketAsync(cancellationToken)) accepted.LingerState = new LingerOption(true, 0);
                Assert.True(dialed.Socket.Poll(TimeSpan.FromSeconds(60), SelectMode.SelectRead), "the reset did not arrive");
                return dialed;
            },
        });
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{port}/");

        await Assert.ThrowsAsync<HttpRequestException>(() => client.SendAsync(request, CancellationToken.None));
        Assert.NotNull(dialed);
    }

    [Fact]
    public async Task A_unix_socket_is_dialed_by_its_path()
    {
        var folder = Directory.CreateTempSubdirectory("coordinator-dial-");
        try
        {
            var path = Path.Combine(folder.FullName, "s");
            using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            listener.Bind(new UnixDomainSocketEndPoint(path));
            listener.Listen(1);

            await using var dialed = await DialedConnection.ToUnixSocketAsync(path, CancellationToken.None);
            using var accepted = await listener.AcceptAsync();
            await accepted.SendAsync("hi"u8.ToArray());

            var heard = new byte[2];
            await dialed.ReadExactlyAsync(heard);
            Assert.Equal("hi"u8, heard);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Nobody_at_the_address_is_a_failed_request()
    {
        using var silent = new Socket(SocketType.Stream, ProtocolType.Tcp);
        silent.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
        using var client = new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false, ConnectCallback = DialedConnection.ToHostAsync });
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://[::1]:{((IPEndPoint)silent.LocalEndPoint!).Port}/");

        var failure = await Assert.ThrowsAsync<HttpRequestException>(() => client.SendAsync(request, CancellationToken.None));
        Assert.Equal(HttpRequestError.ConnectionError, failure.HttpRequestError);
    }
}
