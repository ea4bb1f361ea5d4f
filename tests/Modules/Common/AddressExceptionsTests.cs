using System.Net;
using Coordinator.Ports;
using Xunit;

namespace Coordinator.Tests.Modules.Common;

public sealed class AddressExceptionsTests
{
    [Theory]
    [InlineData("git.corp.example", "git.corp.example", 443, "10.0.0.1", true)]
    [InlineData("git.corp.example", "GIT.corp.example", 80, "10.0.0.1", true)]
    [InlineData("git.corp.example:3000", "git.corp.example", 443, "10.0.0.1", false)]
    [InlineData("git.corp.example:3000", "git.corp.example", 3000, "10.0.0.1", true)]
    [InlineData("*.corp.example", "git.corp.example", 443, "10.0.0.1", true)]
    [InlineData("*.corp.example", "corp.example", 443, "10.0.0.1", false)]
    [InlineData("*.corp.example", "evilcorp.example", 443, "10.0.0.1", false)]
    [InlineData("10.1.0.0/16", "any.example", 443, "10.1.2.3", true)]
    [InlineData("10.1.0.0/16", "any.example", 443, "10.2.2.3", false)]
    [InlineData("10.1.0.0/16", "any.example", 443, "::ffff:10.1.2.3", true)]
    [InlineData("127.0.0.1:8080", "localhost", 8080, "127.0.0.1", true)]
    [InlineData("127.0.0.1:8080", "localhost", 22, "127.0.0.1", false)]
    [InlineData("[fd00::1]:443", "v6.example", 443, "fd00::1", true)]
    [InlineData("fd00::1", "v6.example", 22, "fd00::1", true)]
    [InlineData("demo.internal:8787=127.0.0.1", "demo.internal", 8787, "127.0.0.1", true)]
    [InlineData("demo.internal:8787=127.0.0.1", "demo.internal", 8787, "127.0.0.2", false)]
    [InlineData("demo.internal:8787=127.0.0.1", "demo.internal", 5432, "127.0.0.1", false)]
    public void An_exception_lets_through_exactly_what_it_names(string entry, string host, int port, string address, bool allowed) =>
        Assert.Equal(allowed, AddressExceptions.Parse([entry]).WhyRefused(host, port, IPAddress.Parse(address)) is null);

    [Fact]
    public void A_name_may_say_its_address_for_one_port()
    {
        var exceptions = AddressExceptions.Parse(["demo.internal:8787=127.0.0.1"]);

        Assert.Equal(IPAddress.Loopback, exceptions.AddressOf("demo.internal", 8787));
        Assert.Null(exceptions.AddressOf("demo.internal", 80));
        Assert.Null(exceptions.AddressOf("other.internal", 8787));
    }

    [Theory]
    [InlineData("")]
    [InlineData("http://x")]
    [InlineData("x:0")]
    [InlineData("x:99999")]
    [InlineData("x=y")]
    [InlineData("10.0.0.0/99")]
    public void An_entry_of_no_known_form_is_refused(string entry) =>
        Assert.Throws<FormatException>(() => AddressExceptions.Parse([entry]));

    [Fact]
    public void What_is_public_needs_no_exception() =>
        Assert.Null(AddressExceptions.None.WhyRefused("example.com", 443, IPAddress.Parse("93.184.215.14")));
}
