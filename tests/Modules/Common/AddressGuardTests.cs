using System.Net;
using Coordinator.Ports;
using Xunit;

namespace Coordinator.Tests.Modules.Common;

public sealed class AddressGuardTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.255.255.254")]
    [InlineData("0.0.0.0")]
    [InlineData("0.1.2.3")]
    [InlineData("10.0.0.1")]
    [InlineData("172.16.0.1")]
    [InlineData("172.31.255.255")]
    [InlineData("192.168.1.1")]
    [InlineData("169.254.169.254")]
    [InlineData("100.64.0.1")]
    [InlineData("100.100.100.200")]
    [InlineData("168.63.129.16")]
    [InlineData("192.0.0.192")]
    [InlineData("198.18.0.1")]
    [InlineData("224.0.0.1")]
    [InlineData("239.1.2.3")]
    [InlineData("255.255.255.255")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("fe80::1")]
    [InlineData("fec0::1")]
    [InlineData("fd00:ec2::254")]
    [InlineData("fc00::1")]
    [InlineData("ff02::1")]
    [InlineData("100::1")]
    [InlineData("2001:0:1:2::3")]
    [InlineData("64:ff9b:1::a00:1")]
    public void An_address_that_is_not_on_the_public_internet_is_refused(string address) =>
        Assert.NotNull(AddressGuard.WhyRefused(IPAddress.Parse(address)));

    [Theory]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::ffff:10.1.2.3")]
    [InlineData("::127.0.0.1")]
    [InlineData("::ffff:0:169.254.169.254")]
    [InlineData("64:ff9b::192.168.0.1")]
    [InlineData("64:ff9b::a9fe:a9fe")]
    [InlineData("2002:7f00:0001::1")]
    [InlineData("2002:a00:1::")]
    public void A_private_address_dressed_as_IPv6_is_refused(string address) => Assert.False(AddressGuard.IsPublic(IPAddress.Parse(address)));

    [Theory]
    [InlineData("1.1.1.1")]
    [InlineData("172.15.255.255")]
    [InlineData("172.32.0.1")]
    [InlineData("100.63.255.255")]
    [InlineData("100.128.0.1")]
    [InlineData("140.82.112.3")]
    [InlineData("223.255.255.255")]
    [InlineData("2606:4700:4700::1111")]
    [InlineData("2a00:1450:4001:80b::200e")]
    [InlineData("::ffff:1.1.1.1")]
    [InlineData("64:ff9b::8c52:7003")]
    [InlineData("2002:8c52:7003::1")]
    public void A_public_address_passes(string address) => Assert.Null(AddressGuard.WhyRefused(IPAddress.Parse(address)));

    [Theory]
    [InlineData("192.0.2.1")]
    [InlineData("198.51.100.7")]
    [InlineData("203.0.113.9")]
    public void The_documentation_ranges_pass_because_some_networks_number_their_mirrors_with_them(string address) =>
        Assert.True(AddressGuard.IsPublic(IPAddress.Parse(address)));
}
