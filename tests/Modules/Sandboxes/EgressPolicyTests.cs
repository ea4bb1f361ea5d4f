using System.Net;
using Coordinator.Modules.Sandboxes.Egress;
using Coordinator.Ports;
using Xunit;

namespace Coordinator.Tests.Modules.Sandboxes;

public sealed class EgressPolicyTests
{
    private static readonly EgressPolicy Defaults = new(EgressDefaults.Hosts, AddressExceptions.None);

    [Theory]
    [InlineData("github.com", "443")]
    [InlineData("codeload.github.com", "443")]
    [InlineData("raw.githubusercontent.com", "443")]
    [InlineData("GitHub.COM", "443")]
    [InlineData("github.com.", "443")]
    [InlineData("registry.npmjs.org", "443")]
    [InlineData("files.pythonhosted.org", "443")]
    [InlineData("static.crates.io", "443")]
    [InlineData("proxy.golang.org", "443")]
    [InlineData("api.nuget.org", "443")]
    [InlineData("deb.debian.org", "80")]
    public void Git_hosts_and_package_registries_are_allowed_by_default(string host, string port) => Assert.True(Defaults.Decide(host, port).IsSuccess);

    [Theory]
    [InlineData("example.com", "443")]
    [InlineData("evilgithub.com", "443")]
    [InlineData("github.com.evil.example", "443")]
    [InlineData("api.codeberg.org.evil.example", "443")]
    [InlineData("localhost", "80")]
    [InlineData("127.0.0.1", "80")]
    [InlineData("169.254.169.254", "80")]
    [InlineData("[::1]", "80")]
    [InlineData("::1", "80")]
    public void Another_host_is_refused(string host, string port) => Refused(Defaults, host, port);

    [Theory]
    [InlineData("22")]
    [InlineData("25")]
    [InlineData("8080")]
    [InlineData("5432")]
    public void Only_the_ports_of_the_web_are_open_to_allowed_hosts(string port) => Refused(Defaults, "github.com", port);

    [Theory]
    [InlineData("", "443")]
    [InlineData(null, "443")]
    [InlineData("git hub.com", "443")]
    [InlineData("github.com/../x", "443")]
    [InlineData("user@github.com", "443")]
    [InlineData("github.com\r\nHost: x", "443")]
    [InlineData("github.com", "")]
    [InlineData("github.com", null)]
    [InlineData("github.com", "0")]
    [InlineData("github.com", "65536")]
    [InlineData("github.com", "-1")]
    [InlineData("github.com", "443 ")]
    public void Junk_is_refused(string? host, string? port) => Refused(new(["*"], AddressExceptions.None), host, port);

    [Theory]
    [InlineData("2130706433")]
    [InlineData("0x7f000001")]
    [InlineData("0x7f.1")]
    [InlineData("127.1")]
    [InlineData("0177.0.0.1")]
    public void What_a_resolver_reads_as_an_address_is_not_a_name(string host)
    {
        var decision = new EgressPolicy(["*"], AddressExceptions.None).Decide(host, "443");
        Assert.True(!decision.IsSuccess || decision.Value.Pinned is not null);
    }

    [Theory]
    [InlineData("*.example.com", "a.example.com", true)]
    [InlineData("*.example.com", "a.b.example.com", true)]
    [InlineData("*.example.com", "example.com", false)]
    [InlineData("*.example.com", "badexample.com", false)]
    [InlineData("example.com", "a.example.com", false)]
    [InlineData("*", "anything.example", true)]
    public void A_wildcard_means_what_lies_below(string pattern, string host, bool matches) =>
        Assert.Equal(matches, new EgressPolicy([pattern], AddressExceptions.None).Decide(host, "443").IsSuccess);

    [Fact]
    public void A_name_that_leads_inside_is_refused_even_if_it_leads_outside_too()
    {
        var target = Defaults.Decide("github.com", "443").Value;
        Assert.Null(Defaults.Judge(target, [IPAddress.Parse("140.82.112.3")]));
        Assert.Equal("egress_refused", Defaults.Judge(target, [IPAddress.Parse("140.82.112.3"), IPAddress.Parse("10.0.0.1")])?.Code);
        Assert.Equal("egress_refused", Defaults.Judge(target, [IPAddress.Parse("::ffff:169.254.169.254")])?.Code);
    }

    [Fact]
    public void An_exception_opens_its_host_and_port_and_nothing_beside()
    {
        var policy = new EgressPolicy(EgressDefaults.Hosts, AddressExceptions.Parse(["demo.internal:8787=127.0.0.1", "10.1.0.5:3000"]));
        Assert.Equal(new EgressTarget("demo.internal", 8787, IPAddress.Loopback), policy.Decide("demo.internal", "8787").Value);
        Assert.Null(policy.Judge(policy.Decide("demo.internal", "8787").Value, [IPAddress.Loopback]));
        Assert.Null(policy.Judge(policy.Decide("10.1.0.5", "3000").Value, [IPAddress.Parse("10.1.0.5")]));
        Refused(policy, "demo.internal", "8788");
        Refused(policy, "demo.internal", "80");
        Refused(policy, "10.1.0.5", "80");
        Refused(policy, "10.1.0.6", "3000");
    }

    [Fact]
    public void A_network_that_is_excepted_lets_allowed_names_lead_there_and_no_others()
    {
        var policy = new EgressPolicy(["git.corp.example"], AddressExceptions.Parse(["10.1.0.0/16"]));
        Assert.Null(policy.Judge(policy.Decide("git.corp.example", "443").Value, [IPAddress.Parse("10.1.2.3")]));
        Assert.NotNull(policy.Judge(policy.Decide("git.corp.example", "443").Value, [IPAddress.Parse("10.2.2.3")]));
        Refused(policy, "other.corp.example", "443");
        Refused(policy, "10.1.2.3", "443");
    }

    private static void Refused(EgressPolicy policy, string? host, string? port)
    {
        var decision = policy.Decide(host, port);
        Assert.Equal("egress_refused", decision.Problem?.Code);
        Assert.Equal(ProblemKind.Forbidden, decision.Problem?.Kind);
    }
}
