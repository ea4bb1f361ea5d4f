using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Coordinator.SandboxHost.Starting;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Coordinator.Tests.Conformance.SandboxProvider;

/// <summary>Who left before the sandbox host looked at them: such as a load balancer that only tries whether somebody listens.</summary>
[SupportedOSPlatform("linux")]
public sealed class BoxSocketTests
{
    [Fact]
    public void A_connection_from_the_network_that_is_gone_is_no_failure_and_still_has_to_be_signed() => Assert.False(IsGoneFromBoxes(AddressFamily.InterNetwork, IPAddress.Loopback));

    [Fact]
    public void One_of_a_unix_socket_that_is_gone_is_none_either_and_gets_no_further_than_a_box() => Assert.True(IsGoneFromBoxes(AddressFamily.Unix, null));

    private static bool IsGoneFromBoxes(AddressFamily family, IPAddress? address)
    {
        var gone = new Socket(family, SocketType.Stream, ProtocolType.Unspecified);
        gone.Dispose();
        using var services = new ServiceCollection().AddSingleton(new BoxSocket("/run/coordinator/host.sock")).BuildServiceProvider();
        var context = new DefaultHttpContext { RequestServices = services };
        context.Connection.LocalIpAddress = address;
        context.Features.Set<IConnectionSocketFeature>(new Connection(gone));
        return BoxSocket.IsFromBoxes(context);
    }

    private sealed record Connection(Socket Socket) : IConnectionSocketFeature;
}
