using System.Text;
using Coordinator.Modules.Models.Metering;
using Coordinator.Ports;
using Coordinator.Ports.Models;
using Xunit;

namespace Coordinator.Tests.Modules.Models;

public sealed class MeteringTests
{
    private const string Chat = """
        data: {"id":"c1","choices":[{"index":0,"delta":{"role":"assistant","content":""}}],"usage":null}

        data: {"id":"c1","choices":[{"index":0,"delta":{"content":"Grüße, 世界 🌍 \"usage\":{\"prompt_tokens\":999}"}}]}

        : a comment

        data: {"id":"c1","choices":[],"usage":{"prompt_tokens":120,"completion_tokens":30,"total_tokens":150,"prompt_tokens_details":{"cached_tokens":100},"completion_tokens_details":{"reasoning_tokens":12}}}

        data: [DONE]


        """;

    private const string Responses = """
        event: response.created
        data: {"type":"response.created","response":{"id":"r1","status":"in_progress","usage":null}}

        event: response.output_text.delta
        data: {"type":"response.output_text.delta","delta":"\"response.completed\" 世界"}

        event: response.completed
        data: {"type":"response.completed","response":{"id":"r1","output":[{"content":"世界"}],"usage":{"input_tokens":120,"input_tokens_details":{"cached_tokens":100},"output_tokens":30,"output_tokens_details":{"reasoning_tokens":12},"total_tokens":150}}}


        """;

    private const string Messages = """
        event: message_start
        data: {"type":"message_start","message":{"id":"m1","content":[],"usage":{"input_tokens":20,"cache_creation_input_tokens":7,"cache_read_input_tokens":100,"output_tokens":1}}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"世界 \"message_stop\""}}

        event: message_delta
        data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":30}}

        event: message_stop
        data: {"type":"message_stop"}


        """;

    public static TheoryData<string, string> Streams => new()
    {
        { nameof(CallWire.OpenAiChat), Chat },
        { nameof(CallWire.OpenAiResponses), Responses },
        { nameof(CallWire.AnthropicMessages), Messages },
        { nameof(CallWire.OpenAiChat), Chat.Replace("\n", "\r\n", StringComparison.Ordinal) },
        { nameof(CallWire.AnthropicMessages), Messages.Replace("data: ", "data:", StringComparison.Ordinal) },
    };

    [Theory]
    [MemberData(nameof(Streams))]
    public void Usage_is_read_wherever_the_stream_is_cut_into_chunks(string wire, string stream)
    {
        var bytes = Encoding.UTF8.GetBytes(stream);
        var expected = Enum.Parse<CallWire>(wire) == CallWire.AnthropicMessages ? new TokenCounts(20, 30, 0, 100, 7) : new TokenCounts(20, 30, 12, 100, 0);
        for (var size = 1; size <= 64; size++) Assert.Equal(expected, Meter(wire, bytes.Chunk(size)).Counts);
        for (var cut = 0; cut <= bytes.Length; cut++) Assert.Equal(expected, Meter(wire, [bytes[..cut], bytes[cut..]]).Counts);
    }

    [Theory]
    [MemberData(nameof(Streams))]
    public void The_line_that_ends_a_stream_is_never_let_through_whole_before_it_is_announced(string wire, string stream)
    {
        var bytes = Encoding.UTF8.GetBytes(stream);
        for (var size = 1; size <= 64; size++)
        {
            var (forwarded, announced) = Forward(wire, bytes.Chunk(size));
            Assert.True(announced);
            Assert.DoesNotContain(LastData(stream), Encoding.UTF8.GetString(forwarded), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_chat_stream_that_tells_its_usage_with_every_chunk_counts_the_last()
    {
        const string Stream = """
            data: {"choices":[{"delta":{"content":"a"}}],"usage":{"prompt_tokens":10,"completion_tokens":1}}

            data: {"choices":[{"delta":{"content":"b"}}],"usage":{"prompt_tokens":10,"completion_tokens":2}}

            data: [DONE]


            """;

        Assert.Equal(new TokenCounts(10, 2, 0, 0, 0), Meter(nameof(CallWire.OpenAiChat), [Encoding.UTF8.GetBytes(Stream)]).Counts);
    }

    [Fact]
    public void A_stream_without_an_end_of_line_at_its_end_is_still_read()
    {
        var bytes = Encoding.UTF8.GetBytes("""data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}""");

        Assert.Equal(new TokenCounts(3, 4, 0, 0, 0), Meter(nameof(CallWire.OpenAiChat), [bytes]).Counts);
    }

    [Fact]
    public void What_a_cut_message_used_up_to_the_cut_is_known()
    {
        var cut = Encoding.UTF8.GetBytes(Messages[..Messages.IndexOf("event: message_delta", StringComparison.Ordinal)]);

        Assert.Equal(new TokenCounts(20, 1, 0, 100, 7), Meter(nameof(CallWire.AnthropicMessages), [cut]).Counts);
    }

    [Theory]
    [InlineData("data: {\"usage\"")]
    [InlineData("data: {\"usage\": 7}\n\n")]
    [InlineData("data: {\"usage\": {\"prompt_tokens\": -5, \"completion_tokens\": 1e400}}\n\n")]
    [InlineData("data: [\"usage\"]\n\n")]
    [InlineData("data: \"usage\"\n\n")]
    [InlineData("data: {\"usage\": {\"prompt_tokens\": \"7\"}}\n\n")]
    [InlineData("\0\u0001\u0002 junk \n\n\r\r\n")]
    public void What_cannot_be_read_is_passed_over(string stream) =>
        Assert.Null(Meter(nameof(CallWire.OpenAiChat), [Encoding.UTF8.GetBytes(stream)]).Counts);

    [Theory]
    [InlineData(nameof(CallWire.OpenAiChat), """{"choices":[],"usage":{"prompt_tokens":120,"completion_tokens":30,"prompt_tokens_details":{"cached_tokens":100}}}""", 20, 100)]
    [InlineData(nameof(CallWire.OpenAiResponses), """{"object":"response","usage":{"input_tokens":120,"output_tokens":30,"input_tokens_details":{"cached_tokens":100}}}""", 20, 100)]
    [InlineData(nameof(CallWire.AnthropicMessages), """{"type":"message","usage":{"input_tokens":20,"output_tokens":30,"cache_read_input_tokens":100}}""", 20, 100)]
    public void An_answer_that_does_not_stream_is_metered_too(string wire, string body, long input, long cached)
    {
        var meter = new UsageMeter(Enum.Parse<CallWire>(wire));

        meter.TakeBody(Encoding.UTF8.GetBytes(body));

        Assert.Equal(new TokenCounts(input, 30, 0, cached, 0), meter.Counts);
    }

    [Fact]
    public void Cost_is_counted_in_decimals_by_each_kind_of_token()
    {
        var entry = new ModelEntry("p/m", "M", 1, 1, 3m, 15m, 0.3m, 3.75m);

        var usage = UsagePricing.Price("p/m", new(1_000_001, 333, 100, 7, 3), entry);

        Assert.Equal((1_000_001m * 3m / 1_000_000m) + (333m * 15m / 1_000_000m) + (7m * 0.3m / 1_000_000m) + (3m * 3.75m / 1_000_000m), usage.CostUsd);
        Assert.Equal(0m, UsagePricing.Price("p/m", new(1_000, 1_000, 0, 0, 0), null).CostUsd);
    }

    /// <summary>Nothing here needs more than every call may keep.</summary>
    private static Problem? NoRoom(int count) => new("model_calls_busy", $"There is no room for {count} bytes.", ProblemKind.TooMany);

    private static UsageMeter Meter(string wire, IEnumerable<byte[]> chunks)
    {
        var meter = new UsageMeter(Enum.Parse<CallWire>(wire));
        using var scanner = new EventStreamScanner(meter, NoRoom);
        foreach (var chunk in chunks)
        {
            scanner.Take(chunk);
        }

        scanner.Complete();
        return meter;
    }

    private static (byte[] Forwarded, bool Announced) Forward(string wire, IEnumerable<byte[]> chunks)
    {
        using var scanner = new EventStreamScanner(new UsageMeter(Enum.Parse<CallWire>(wire)), NoRoom);
        var forwarded = new List<byte>();
        foreach (var chunk in chunks)
        {
            var end = scanner.Take(chunk);
            if (end >= 0) return ([.. forwarded, .. chunk[..end]], true);
            forwarded.AddRange(chunk);
        }

        return ([.. forwarded], false);
    }

    /// <summary>The last data line with its end: what makes a client dispatch it.</summary>
    private static string LastData(string stream) => stream.TrimEnd('\r', '\n').Split('\n')[^1].TrimEnd('\r') + (stream.Contains('\r', StringComparison.Ordinal) ? "\r" : "\n");
}
