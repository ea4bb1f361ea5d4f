using System.Text;
using System.Text.Json.Nodes;
using Coordinator.Modules.Models.Gateway;
using Xunit;

namespace Coordinator.Tests.Modules.Models;

public sealed class CallBodyTests
{
    [Fact]
    public void The_model_is_swapped_and_everything_else_stays_as_it_was()
    {
        const string Json = """{ "messages" : [ {"role":"user","content":"Grüße \ud83c\udf0d 1.0e2"} ],"model":"a","temperature":1.0, "stream":false}""";

        Assert.Equal(Json.Replace("\"model\":\"a\"", "\"model\":\"b/c\"", StringComparison.Ordinal), Forwarded(Json, "b/c"));
    }

    [Theory]
    [InlineData("""{"model":"a","stream":true}""")]
    [InlineData("""{"stream":true,"messages":[],"model":"a"}""")]
    [InlineData("""{"stream_options":{"include_usage":false},"stream":true,"model":"a"}""")]
    [InlineData("""{"model":"a","stream":true,"stream_options":null}""")]
    [InlineData("""{"model":"a","stream":true,"stream_options":{}}""")]
    public void A_chat_stream_is_always_asked_for_its_usage(string json)
    {
        var forwarded = JsonNode.Parse(Forwarded(json, "b"))!;

        Assert.True((bool)forwarded["stream_options"]!["include_usage"]!);
        Assert.Equal("b", (string?)forwarded["model"]);
    }

    [Fact]
    public void Other_options_of_a_stream_are_kept()
    {
        var forwarded = JsonNode.Parse(Forwarded("""{"model":"a","stream":true,"stream_options":{"include_obfuscation":false,"include_usage":false}}""", "b"))!;

        Assert.False((bool)forwarded["stream_options"]!["include_obfuscation"]!);
        Assert.True((bool)forwarded["stream_options"]!["include_usage"]!);
    }

    [Fact]
    public void A_call_that_does_not_stream_is_not_given_options_of_a_stream() =>
        Assert.DoesNotContain("stream_options", Forwarded("""{"model":"a"}""", "b"), StringComparison.Ordinal);

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("nonsense")]
    [InlineData("{}")]
    [InlineData("""{"model":7}""")]
    [InlineData("""{"model":""}""")]
    [InlineData("""{"model":"a","stream":"yes"}""")]
    [InlineData("""{"model":"a"} {"model":"b"}""")]
    [InlineData("""{"model":"a","model":"b"}""")]
    [InlineData("""{"model":"cheap","mod\u0065l":"dear"}""")]
    [InlineData("""{"model":"a","stream":true,"stream":false}""")]
    [InlineData("""{"model":"a","messages":[}""")]
    public void A_body_that_two_readers_could_read_differently_or_not_at_all_is_refused(string json) =>
        Assert.False(CallBody.TryRead(Encoding.UTF8.GetBytes(json), out _, out _));

    [Fact]
    public void A_body_that_is_not_utf8_is_refused() =>
        Assert.False(CallBody.TryRead(new byte[] { (byte)'{', (byte)'"', 0xFF, (byte)'"', (byte)':', (byte)'1', (byte)'}' }, out _, out _));

    private static string Forwarded(string json, string model)
    {
        Assert.True(CallBody.TryRead(Encoding.UTF8.GetBytes(json), out var body, out var wrong), wrong);
        return Encoding.UTF8.GetString(body.ForUpstream(model, askForUsage: true).Span);
    }
}
