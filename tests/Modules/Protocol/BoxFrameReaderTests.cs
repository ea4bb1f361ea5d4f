using System.Text;
using Coordinator.Modules.SessionAccess.Bridge;
using Coordinator.Modules.SessionAccess.Sockets;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Modules.Protocol;

public sealed class BoxFrameReaderTests
{
    private static readonly MessageId Message = MessageId.From(PrefixedId.Derive("test", "message"));
    private static readonly SandboxId Box = SandboxId.From(PrefixedId.Derive("test", "box"));
    private static readonly PermissionId Permission = PermissionId.From(PrefixedId.Derive("test", "permission"));

    [Fact]
    public void The_data_of_an_event_is_the_bytes_that_came()
    {
        var frame = Event($$$"""{"type":"event","n":7,"kind":"agent.text","messageId":"{{{Message}}}","data":{"part":"p1", "offset":0,"text":"h\u00e9 \"}\" "}}""");

        Assert.Equal((7, "agent.text", Message), (frame.N, frame.Kind, frame.Message!.Value));
        Assert.Equal("""{"part":"p1", "offset":0,"text":"h\u00e9 \"}\" "}""", Text(frame.Data));
    }

    [Fact]
    public void The_data_of_an_event_owns_its_bytes()
    {
        var received = Encoding.UTF8.GetBytes("""{"type":"event","n":1,"kind":"k","data":{"a":1}}""");
        var frame = Assert.IsType<BoxFrame.Event>(BoxFrameReader.Read(received));

        Array.Fill(received, (byte)'x');

        Assert.Equal("""{"a":1}""", Text(frame.Data));
    }

    [Fact]
    public void Line_breaks_between_tokens_do_not_reach_event_streams() =>
        Assert.Equal("""{  "a": "b\n"}""", Text(Event("{\"type\":\"event\",\"n\":1,\"kind\":\"k\",\"data\":{\r\n  \"a\": \"b\\n\"\n}}").Data));

    [Fact]
    public void Replies_and_heartbeats_are_read()
    {
        Assert.Equal(new BoxFrame.Reply("r1", true, null), Read("""{"type":"reply","id":"r1","ok":true,"error":null}"""));
        Assert.Equal(new BoxFrame.Reply("r1", false, "no"), Read("""{"type":"reply","id":"r1","ok":false,"error":"no"}"""));
        Assert.Equal(new BoxFrame.Heartbeat(true, 123, 456), Read("""{"type":"heartbeat","busy":true,"rss":123,"disk":456}"""));
    }

    [Theory]
    [InlineData("[1]")]
    [InlineData("\"text\"")]
    [InlineData("null")]
    public void A_batch_that_is_too_large_is_retried_for_ever_and_blocks_everything_behind_it__data_that_is_no_object_is_acknowledged(string data)
    {
        var frame = Event($$"""{"type":"event","n":3,"kind":"agent.text","data":{{data}}}""");

        Assert.Equal((3, BoxFrameReader.UnusableKind, "{}"), (frame.N, frame.Kind, Text(frame.Data)));
    }

    [Fact]
    public void A_batch_that_is_too_large_is_retried_for_ever_and_blocks_everything_behind_it__an_event_over_64_KiB_is_acknowledged()
    {
        Assert.Equal("k", Event(Sized(BoxFrameReader.MaxDataBytes)).Kind);
        Assert.Equal(BoxFrameReader.UnusableKind, Event(Sized(BoxFrameReader.MaxDataBytes + 1)).Kind);

        static string Sized(int bytes) => $$$"""{"type":"event","n":1,"kind":"k","data":{"a":"{{{new string('x', bytes - 8)}}}"}}""";
    }

    [Theory]
    [InlineData("\0\u0001\u0002\u0003")]
    [InlineData("{\"type\":\"event\",\"kind\":\"k\",\"data\":{}}")]
    [InlineData("{\"type\":\"event\",\"n\":0,\"kind\":\"k\",\"data\":{}}")]
    [InlineData("{\"type\":\"event\",\"n\":1.5,\"kind\":\"k\",\"data\":{}}")]
    [InlineData("{\"type\":\"event\",\"n\":1,\"data\":{}}")]
    [InlineData("{\"type\":\"event\",\"n\":1,\"kind\":\"k\",\"messageId\":\"x\",\"data\":{}}")]
    [InlineData("{\"type\":\"hello\"}")]
    [InlineData("{\"type\":\"later\"}")]
    [InlineData("{\"type\":\"reply\",\"id\":\"r1\"}")]
    [InlineData("{\"type\":\"event\",\"n\":1,\"kind\":\"k\",\"data\":{}")]
    public void A_frame_that_cannot_be_numbered_is_refused(string frame) => Assert.Throws<FrameException>(() => Read(frame));

    [Fact]
    public void Hello_is_read()
    {
        var hello = Hello($$"""
            {"type":"hello","protocol":[1,2],"sandbox":"{{Box}}","generation":3,"spoolId":"0123456789abcdef","future":{},
             "messages":[{"id":"{{Message}}","state":"unknown","more":[1]}],"openPermissions":["{{Permission}}"]}
            """);

        Assert.Equal((1, 2, Box, 3, "0123456789abcdef"), (hello.MinProtocol, hello.MaxProtocol, hello.Sandbox, hello.Generation, hello.SpoolId));
        Assert.Equal([new KnownMessage(Message, KnownMessageState.Unknown)], hello.Messages);
        Assert.Equal([Permission], hello.OpenPermissions);
        Assert.Null(hello.RenewedFrom);
        Assert.Equal("fedcba9876543210", Hello($$"""{"type":"hello","protocol":[1,1],"sandbox":"{{Box}}","generation":3,"spoolId":"0123456789abcdef","renewedFrom":"fedcba9876543210"}""").RenewedFrom);
    }

    [Theory]
    [InlineData("\"protocol\":[1]")]
    [InlineData("\"protocol\":[1,2,3]")]
    [InlineData("\"protocol\":1")]
    [InlineData("\"protocol\":[1,1],\"spoolId\":\"short\"")]
    [InlineData("\"protocol\":[1,1],\"generation\":-1")]
    [InlineData("\"protocol\":[1,1],\"messages\":[1]")]
    [InlineData("\"protocol\":[1,1],\"messages\":{}")]
    [InlineData("\"protocol\":[1,1],\"openPermissions\":[{}]")]
    public void A_hello_that_is_wrong_is_refused(string fields) =>
        Assert.Throws<FrameException>(() => Hello($$"""{"type":"hello","sandbox":"{{Box}}",{{fields}}}"""));

    [Fact]
    public void Whatever_bytes_come_reading_ends_in_a_frame_or_a_refusal()
    {
        var events = new[]
        {
            $$$"""{"type":"event","n":7,"kind":"agent.text","messageId":"{{{Message}}}","data":{"part":"p1","offset":0,"text":"hé"}}""",
            """{"type":"reply","id":"r1","ok":true,"error":null}""",
            """{"type":"heartbeat","busy":true,"rss":123,"disk":456}""",
        };
        foreach (var fuzzed in Fuzz.Mutate(events, 5_000, seed: 5)) Fuzz.ReadsOrRefuses(() => BoxFrameReader.Read(fuzzed));

        var hellos = new[] { $$"""{"type":"hello","protocol":[1,1],"sandbox":"{{Box}}","generation":1,"spoolId":"0123456789abcdef","messages":[{"id":"{{Message}}","state":"ended"}],"openPermissions":["{{Permission}}"]}""" };
        foreach (var fuzzed in Fuzz.Mutate(hellos, 5_000, seed: 6)) Fuzz.ReadsOrRefuses(() => HelloReader.Read(fuzzed));
    }

    private static BoxFrame Read(string frame) => BoxFrameReader.Read(Encoding.UTF8.GetBytes(frame));

    private static BoxFrame.Event Event(string frame) => Assert.IsType<BoxFrame.Event>(Read(frame));

    private static BridgeHello Hello(string frame) => HelloReader.Read(Encoding.UTF8.GetBytes(frame));

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);
}
