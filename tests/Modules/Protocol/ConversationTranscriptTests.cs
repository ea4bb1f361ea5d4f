using System.Text;
using System.Text.Json;
using Coordinator.Modules.SessionAccess.Bridge;
using Coordinator.Ports;
using Xunit;

namespace Coordinator.Tests.Modules.Protocol;

public sealed class ConversationTranscriptTests
{
    private static readonly MessageId First = MessageId.From(PrefixedId.Derive("test", "first"));
    private static readonly MessageId Second = MessageId.From(PrefixedId.Derive("test", "second"));
    private static readonly MessageId Third = MessageId.From(PrefixedId.Derive("test", "third"));

    [Fact]
    public void It_tells_what_was_asked_and_answered_before_a_message()
    {
        var transcript = new ConversationTranscript(Third);
        Add(transcript, "message.queued", First, new { text = "make a file" });
        Add(transcript, "message.edited", First, new { text = "make two files" });
        Add(transcript, "message.queued", Second, new { text = "and test them" });
        Add(transcript, "message.queued", Third, new { text = "now" });
        Add(transcript, "message.started", First, new { });
        Add(transcript, "agent.text", First, new { part = "a", offset = 0, text = "Done wrong" });
        Add(transcript, "agent.text", First, new { part = "a", offset = 5, text = "twice." });
        Add(transcript, "agent.reasoning", First, new { part = "r", offset = 0, text = "secret thoughts" });
        Add(transcript, "message.completed", First, new { });
        Add(transcript, "message.started", Second, new { });
        Add(transcript, "message.failed", Second, new { code = "interrupted" });

        var text = transcript.Write()!;

        Assert.Contains("<user>\nmake two files\n</user>\n<assistant outcome=\"completed\">\nDone twice.\n</assistant>", text, StringComparison.Ordinal);
        Assert.Contains("<user>\nand test them\n</user>\n<assistant outcome=\"failed\">", text, StringComparison.Ordinal);
        Assert.DoesNotContain("now", text, StringComparison.Ordinal);
        Assert.DoesNotContain("secret thoughts", text, StringComparison.Ordinal);
    }

    [Fact]
    public void It_keeps_the_newest_and_stays_bounded()
    {
        var transcript = new ConversationTranscript(Third);
        for (var i = 0; i < 20; i++)
        {
            var message = MessageId.From(PrefixedId.Derive("test", $"m{i}"));
            Add(transcript, "message.queued", message, new { text = $"question {i}." });
            Add(transcript, "message.started", message, new { });
            Add(transcript, "agent.text", message, new { part = "a", offset = 0, text = new string('x', 100_000) + $" answer {i}." });
            Add(transcript, "message.completed", message, new { });
        }

        var text = transcript.Write()!;

        Assert.InRange(text.Length, 1, ConversationTranscript.MaxLength + 512);
        Assert.Contains("answer 19.", text, StringComparison.Ordinal);
        Assert.DoesNotContain("question 1.", text, StringComparison.Ordinal);
        Assert.Contains("left out", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"offset":5,"text":"!"}""")]
    [InlineData("""{"part":1,"offset":5,"text":"!"}""")]
    [InlineData("""{"part":"\ud800","offset":5,"text":"!"}""")]
    [InlineData("""{"part":"a","offset":5}""")]
    [InlineData("""{"part":"a","offset":5,"text":["!"]}""")]
    [InlineData("""{"part":"a","offset":5,"text":"\ud800"}""")]
    [InlineData("""{"part":"a","offset":"5","text":"!"}""")]
    [InlineData("""{"part":"a","offset":0.5,"text":"!"}""")]
    [InlineData("""{"part":"a","offset":1e99,"text":"!"}""")]
    [InlineData("""{"part":"a","offset":99999999999,"text":"!"}""")]
    [InlineData("""{"part":"a","offset":-1,"text":"!"}""")]
    [InlineData("""{"more":0,"part":"a","offset":5,"text":"!","\ud800":0}""")]
    public void A_piece_that_makes_no_sense_is_passed_over_and_the_rest_is_told(string data)
    {
        var transcript = new ConversationTranscript(Second);
        Add(transcript, "message.queued", First, new { text = "greet" });
        Add(transcript, "message.started", First, new { });
        Add(transcript, "agent.text", First, new { part = "a", offset = 0, text = "Hello" });
        transcript.Add(Encoding.UTF8.GetBytes($$"""{"cursor":"1.1","seq":1,"at":"2026-01-01T00:00:00Z","type":"agent.text","messageId":"{{First}}","data":{{data}}}"""));
        Add(transcript, "agent.text", First, new { part = "a", offset = 5, text = " world" });
        Add(transcript, "message.completed", First, new { });

        Assert.Contains("<assistant outcome=\"completed\">\nHello world\n</assistant>", transcript.Write(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_first_message_has_no_history()
    {
        var transcript = new ConversationTranscript(First);
        Add(transcript, "message.queued", First, new { text = "hello" });
        Add(transcript, "message.dispatched", First, new { });

        Assert.Null(transcript.Write());
    }

    private static void Add(ConversationTranscript transcript, string type, MessageId message, object data) =>
        transcript.Add(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new { cursor = "1.1", seq = 1, at = "2026-01-01T00:00:00Z", type, messageId = message.ToString(), data })));
}
