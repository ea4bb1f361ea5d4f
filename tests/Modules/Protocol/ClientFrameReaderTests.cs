using System.Text;
using Coordinator.Modules.SessionAccess.Clients;
using Coordinator.Modules.SessionAccess.Sockets;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Modules.Protocol;

public sealed class ClientFrameReaderTests
{
    private static readonly MessageId Message = MessageId.From(PrefixedId.Derive("test", "message"));
    private static readonly PermissionId Permission = PermissionId.From(PrefixedId.Derive("test", "permission"));

    [Fact]
    public void Every_frame_of_the_protocol_is_read()
    {
        Assert.Equal(new ClientFrame.Subscribe(null), Read("""{"type":"subscribe"}"""));
        Assert.Equal(new ClientFrame.Subscribe(new SessionCursor(1, 41)), Read("""{"after":"1.41","type":"subscribe"}"""));
        Assert.Equal(new ClientFrame.Prompt("c1", "hé\n", "demo/scripted", Message), Read($$"""{"type":"prompt","clientId":"c1","text":"hé\n","model":"demo/scripted","retryOf":"{{Message}}"}"""));
        Assert.Equal(new ClientFrame.Cancel(null), Read("""{"type":"cancel","messageId":null}"""));
        Assert.Equal(new ClientFrame.Cancel(Message), Read($$"""{"type":"cancel","messageId":"{{Message}}"}"""));
        Assert.Equal(new ClientFrame.Edit(Message, "new"), Read($$"""{"type":"edit","messageId":"{{Message}}","text":"new"}"""));
        Assert.Equal(new ClientFrame.Move(Message, null), Read($$"""{"type":"move","messageId":"{{Message}}","before":null}"""));
        Assert.Equal(new ClientFrame.Permission(Permission, PermissionDecision.Session, "ok"), Read($$"""{"type":"permission","permissionId":"{{Permission}}","decision":"session","note":"ok"}"""));
        Assert.Equal(new ClientFrame.Ping("7"), Read("""{"type":"ping","id":"7"}"""));
    }

    [Fact]
    public void Unknown_fields_and_types_are_tolerated()
    {
        Assert.Equal(new ClientFrame.Ping(null), Read("""{"type":"ping","later":{"a":[1,2,{"b":null}]}}"""));
        Assert.Equal(new ClientFrame.Unknown("dance"), Read("""{"type":"dance"}"""));
    }

    [Fact]
    public void A_text_that_is_no_Unicode_leaves_the_frame_readable_so_that_it_can_be_refused()
    {
        Assert.Equal(new ClientFrame.Malformed("prompt", "c1"), Read("""{"type":"prompt","text":"\ud83d","clientId":"c1"}"""));
        Assert.Equal(new ClientFrame.Malformed("edit", null), Read($$"""{"text":"\ude00","type":"edit","messageId":"{{Message}}"}"""));
    }

    [Theory]
    [InlineData("", "not JSON")]
    [InlineData("null", "one JSON object")]
    [InlineData("[]", "one JSON object")]
    [InlineData("{}", "'type' is missing")]
    [InlineData("{\"type\":\"ping\"}{}", "not JSON")]
    [InlineData("{\"type\":\"ping\"", "not JSON")]
    [InlineData("{\"type\":7}", "'type' must be a string")]
    [InlineData("{\"type\":\"prompt\",\"text\":\"x\"}", "'clientId' is missing")]
    [InlineData("{\"type\":\"prompt\",\"clientId\":\"a b\",\"text\":\"x\"}", "visible ASCII")]
    [InlineData("{\"type\":\"prompt\",\"clientId\":\"a\",\"text\":{}}", "'text' must be a string")]
    [InlineData("{\"type\":\"edit\",\"messageId\":\"msg_1\"}", "'messageId' is not an id of the form msg_")]
    [InlineData("{\"type\":\"subscribe\",\"after\":\"now\"}", "not a cursor")]
    [InlineData("{\"type\":\"ping\",\"id\":\"\\ud800\"}", "not valid Unicode")]
    public void A_garbage_frame_is_refused_with_its_reason(string frame, string reason) =>
        Assert.Contains(reason, Assert.Throws<FrameException>(() => Read(frame)).Message, StringComparison.Ordinal);

    [Fact]
    public void Whatever_bytes_come_reading_ends_in_a_frame_or_a_refusal()
    {
        var seeds = new[] { $$"""{"type":"prompt","clientId":"c1","text":"hé","retryOf":"{{Message}}"}""", """{"type":"subscribe","after":"1.41"}""", """{"type":"ping","id":"7"}""" };
        foreach (var fuzzed in Fuzz.Mutate(seeds, 5_000, seed: 17)) Fuzz.ReadsOrRefuses(() => ClientFrameReader.Read(fuzzed));
    }

    private static ClientFrame Read(string frame) => ClientFrameReader.Read(Encoding.UTF8.GetBytes(frame));
}
