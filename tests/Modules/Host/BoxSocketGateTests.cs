using System.Net;
using System.Net.Sockets;
using Coordinator.Host.Composition;
using Coordinator.Host.Starting;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Coordinator.Tests.Modules.Host;

/// <summary>Who left before they were looked at: such as a load balancer that only tries whether somebody listens, or whoever waited at a host that was frozen.</summary>
public sealed class BoxSocketGateTests
{
    private readonly DefaultHttpContext context = new();
    private bool served;

    [Fact]
    public async Task A_connection_from_the_network_that_is_gone_is_no_failure()
    {
        context.Connection.LocalIpAddress = IPAddress.Loopback;

        await AskFromGoneAsync(AddressFamily.InterNetwork);

        Assert.True(served);
    }

    [Fact]
    public async Task One_of_a_unix_socket_that_is_gone_is_none_either_and_gets_nothing_done()
    {
        await AskFromGoneAsync(AddressFamily.Unix);

        Assert.Equal((404, false), (context.Response.StatusCode, served));
    }

    private async Task AskFromGoneAsync(AddressFamily family)
    {
        var gone = new Socket(family, SocketType.Stream, ProtocolType.Unspecified);
        gone.Dispose();
        context.Features.Set<IConnectionSocketFeature>(new Connection(gone));
        await new BoxSocketGate(
            _ =>
            {
                served = true;
                return Task.CompletedTask;
            },
            new BoxSocketPath("/run/coordinator/host.sock")).InvokeAsync(context);
    }

    private sealed record Connection(Socket Socket) : IConnectionSocketFeature;
}
