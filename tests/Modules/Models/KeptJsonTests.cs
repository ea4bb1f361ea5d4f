using System.Text;
using Coordinator.Modules.Models.Metering;
using Coordinator.Ports;
using Xunit;

namespace Coordinator.Tests.Modules.Models;

public sealed class KeptJsonTests
{
    private const string Filler = "MANY";

    public static TheoryData<string, string, string> Events => new()
    {
        { nameof(CallWire.OpenAiChat), """{"choices":[{"delta":{"images":["MANY"]}}],"usage":{"prompt_tokens":20,"completion_tokens":30}}""", "iVBORw0KGgo/" },
        { nameof(CallWire.OpenAiChat), """{"choices":[{"delta":{"content":"MANY"}}],"usage":{"prompt_tokens":20,"completion_tokens":30}}""", "\\\\ \\\"usage\\\":{\\u00e4 世界 } ] " },
        { nameof(CallWire.OpenAiChat), """{"MANY":1,"\u0075sage":{"prompt_tokens":20,"completion_tokens":30},"usage":{"prompt_tokens":20}}""", "longname" },
        { nameof(CallWire.OpenAiResponses), """{"type":"response.completed","response":{"output":[{"content":[{"logprobs":[MANY0]}]}],"usage":{"input_tokens":20,"output_tokens":30,"output_tokens_details":{"reasoning_tokens":0}}}}""", """{"token":"a","bytes":[97],"top":[{"x":"}]"},[]]},""" },
        { nameof(CallWire.AnthropicMessages), """{"type":"message_start","message":{"content":[{"input":{"deep":[[MANY0]]}}],"usage":{"input_tokens":20,"output_tokens":30}}}""", """{"deeper":[]},""" },
    };

    [Theory]
    [MemberData(nameof(Events))]
    public void What_an_answer_says_at_length_takes_no_room_and_its_usage_is_read_all_the_same(string wire, string form, string filler)
    {
        var bytes = Encoding.UTF8.GetBytes($"data: {form.Replace(Filler, string.Concat(Enumerable.Repeat(filler, 200_000)), StringComparison.Ordinal)}\n\n");
        var meter = new UsageMeter(Enum.Parse<CallWire>(wire));
        using var scanner = new EventStreamScanner(meter, Full);
        foreach (var chunk in bytes.Chunk(16 * 1024)) scanner.Take(chunk);

        Assert.Null(scanner.Refusal);
        Assert.Equal(new TokenCounts(20, 30, 0, 0, 0), meter.Counts);
    }

    [Theory]
    [MemberData(nameof(Events))]
    public void What_is_kept_is_the_same_wherever_the_text_is_cut(string wire, string form, string filler)
    {
        Assert.True(Enum.IsDefined(Enum.Parse<CallWire>(wire)));
        var bytes = Encoding.UTF8.GetBytes(form.Replace(Filler, string.Concat(Enumerable.Repeat(filler, 300 / filler.Length)), StringComparison.Ordinal));
        var whole = KeptOf([bytes]);
        for (var cut = 0; cut <= bytes.Length; cut++) Assert.Equal(whole, KeptOf([bytes[..cut], bytes[cut..]]));
        for (var size = 1; size <= 16; size++) Assert.Equal(whole, KeptOf(bytes.Chunk(size)));
    }

    [Fact]
    public void What_could_count_is_kept_word_for_word()
    {
        const string Text = """ {"type":"response.completed","a\"\\":[1.5e3,null],"response":{"usage":{"details":{"x":[],"y":{}}}}} """;

        Assert.Equal(Text, KeptOf([Encoding.UTF8.GetBytes(Text)]));
    }

    [Fact]
    public void Of_what_cannot_count_it_is_kept_that_it_was_there()
    {
        var text = $$$"""{"{{{new string('n', 300)}}}":"{{{new string('t', 300)}}}","a":[[[[1,"x",{}],{"y":2}]]]}""";

        Assert.Equal("""{"":"","a":[[[[],{}]]]}""", KeptOf([Encoding.UTF8.GetBytes(text)]));
    }

    [Fact]
    public void No_more_is_asked_for_than_is_kept_and_none_is_kept_beyond_the_bound()
    {
        List<int> asked = [];
        using var kept = new KeptJson(count =>
        {
            asked.Add(count);
            return null;
        });
        var piece = new byte[1000];
        for (var i = 0; i <= KeptJson.Most / piece.Length; i++)
        {
            kept.Add(piece);
            Assert.InRange(kept.Kept.Length, 0, KeptJson.Free + asked.Sum());
        }

        Assert.NotNull(kept.Refusal);
        Assert.Equal(KeptJson.Most, KeptJson.Free + asked.Sum());
    }

    [Fact]
    public void What_there_is_no_room_for_is_not_kept()
    {
        using var kept = new KeptJson(Full);
        kept.Add(new byte[KeptJson.Free]);
        Assert.Null(kept.Refusal);

        kept.Add([0]);

        Assert.Equal("full", kept.Refusal?.Code);
        Assert.Equal(KeptJson.Free, kept.Kept.Length);
    }

    [Fact]
    public void A_line_without_data_takes_no_room_and_those_after_it_count()
    {
        var meter = new UsageMeter(CallWire.OpenAiChat);
        using var scanner = new EventStreamScanner(meter, Full);
        scanner.Take(": "u8);
        for (var i = 0; i < 100; i++) scanner.Take(new byte[16 * 1024]);

        scanner.Take("\ndata: {\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}\n\n"u8);

        Assert.Equal(new TokenCounts(3, 4, 0, 0, 0), meter.Counts);
    }

    [Fact]
    public void Scanning_a_stream_allocates_nothing_whether_its_lines_are_cut_or_not()
    {
        using var scanner = new EventStreamScanner(new UsageMeter(CallWire.OpenAiChat), Full);
        var chunk = Encoding.UTF8.GetBytes("""data: {"choices":[{"delta":{"content":"a"}}]}""" + "\n\ndata: {\"choi");
        var rest = Encoding.UTF8.GetBytes("""ces":[]}""" + "\n\n");
        Take();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) Take();

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Take()
        {
            scanner.Take(chunk);
            scanner.Take(rest);
        }
    }

    private static string KeptOf(IEnumerable<byte[]> pieces)
    {
        using var kept = new KeptJson(Full);
        foreach (var piece in pieces) kept.Add(piece);
        return Encoding.UTF8.GetString(kept.Kept);
    }

    private static Problem? Full(int count) => new("full", $"There is no room for {count} bytes.", ProblemKind.TooMany);
}
