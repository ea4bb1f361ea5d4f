using System.Text;
using Coordinator.Sandbox.Shim;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Coordinator.Tests.Modules.Box.Shim;

public sealed class RequestHeadTests
{
    [Fact]
    public void A_head_is_read()
    {
        var head = Parse("POST /model/v1/demo/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type:  application/json \r\nContent-Length: 12")!;

        Assert.Equal(("POST", "/model/v1/demo/chat/completions", "HTTP/1.1"), (head.Method, head.Target, head.Version));
        Assert.Equal(("application/json", 12L), (head["content-type"], head.ContentLength()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("GET /")]
    [InlineData("GET / HTTP/2.0")]
    [InlineData("GET  / HTTP/1.1")]
    [InlineData("GET / HTTP/1.1\r\nno colon")]
    [InlineData("GET / HTTP/1.1\r\n: no name")]
    [InlineData("GET / HTTP/1.1\r\nName : value")]
    [InlineData("GET / HTTP/1.1\r\nA: b\nC: d")]
    [InlineData("GET / HTTP/1.1\r\n folded: x")]
    [InlineData("G\u0000T / HTTP/1.1")]
    [InlineData("GET /ä HTTP/1.1")]
    public void Garbage_is_refused(string text) => Assert.Null(Parse(text));

    [Theory]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData("1 ")]
    [InlineData("0x1")]
    [InlineData("99999999999999999999")]
    public void A_length_that_two_readers_could_take_differently_is_refused(string length)
    {
        var head = new RequestHead("POST", "/", "HTTP/1.1", [new("Content-Length", length)]);

        Assert.Null(head.ContentLength());
    }

    [Fact]
    public void Two_lengths_are_refused_unless_they_agree()
    {
        Assert.Null(Parse("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2")!.ContentLength());
        Assert.Equal(2, Parse("POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 2")!.ContentLength());
    }

    [Fact]
    public void Reading_never_throws() => Prop.ForAll<byte[]>(bytes => RequestHead.Parse(bytes) is null || bytes.Length > 0).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("example.com:443", "example.com", 443)]
    [InlineData("[2001:db8::1]:443", "2001:db8::1", 443)]
    [InlineData("10.0.0.1:80", "10.0.0.1", 80)]
    public void A_tunnel_s_target_is_read(string target, string host, int port) => Assert.Equal(new ProxyTarget(host, port, null), ProxyTarget.ParseTunnel(target));

    [Theory]
    [InlineData("example.com")]
    [InlineData(":443")]
    [InlineData("example.com:0")]
    [InlineData("example.com:65536")]
    [InlineData("example.com:+4")]
    [InlineData("exa mple.com:443")]
    [InlineData("a/b:443")]
    [InlineData("user@example.com:443")]
    [InlineData("a?port=1&host=b:443")]
    public void A_tunnel_to_nonsense_is_refused(string target) => Assert.Null(ProxyTarget.ParseTunnel(target));

    [Theory]
    [InlineData("http://example.com/a?b=c", "example.com", 80, "/a?b=c")]
    [InlineData("http://example.com:8080", "example.com", 8080, "/")]
    public void A_plain_request_s_target_is_read(string target, string host, int port, string path) => Assert.Equal(new ProxyTarget(host, port, path), ProxyTarget.ParseAbsolute(target));

    [Theory]
    [InlineData("https://example.com/")]
    [InlineData("http://user:pw@example.com/")]
    [InlineData("ftp://example.com/")]
    [InlineData("*")]
    [InlineData("http://")]
    public void A_plain_request_for_nonsense_is_refused(string target) => Assert.Null(ProxyTarget.ParseAbsolute(target));

    private static RequestHead? Parse(string text) => RequestHead.Parse(Encoding.UTF8.GetBytes(text));
}
