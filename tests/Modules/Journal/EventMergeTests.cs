using System.Text;
using System.Text.Json;
using Coordinator.Modules.Sessions.Events;
using Coordinator.Modules.Sessions.State;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Modules.Journal;

/// <summary>Merging what was said piece by piece, over some dozens of made-up conversations.</summary>
public sealed class EventMergeTests
{
    public static TheoryData<int, int> Talks => new() { { 1, 12 }, { 2_000, 400 } };

    [Theory]
    [MemberData(nameof(Talks))]
    public void What_is_merged_is_the_same_text_over_the_same_numbers_and_nothing_else_changes(int firstSeed, int longest)
    {
        foreach (var talk in Several(firstSeed, longest))
        {
            var merged = EventMerge.Of(talk.Envelopes);

            Assert.Equal(MadeUpTalk.Texts(talk.Envelopes), MadeUpTalk.Texts(merged));
            var last = 0L;
            foreach (var envelope in merged)
            {
                var (from, seq) = MadeUpTalk.RangeOf(envelope);
                Assert.Equal(last + 1, from);
                if (from == seq) Assert.True(envelope.Span.SequenceEqual(talk.Envelopes[(int)seq - 1].Span));
                Assert.True(envelope.Length <= EventMerge.MaxBytes);
                last = seq;
            }

            Assert.Equal(talk.Envelopes.Count, last);
            Assert.True(merged.Count < talk.Envelopes.Count);
        }
    }

    [Theory]
    [MemberData(nameof(Talks))]
    public void Merging_again_changes_nothing_and_a_beginning_that_was_merged_before_makes_no_difference(int firstSeed, int longest)
    {
        foreach (var talk in Several(firstSeed, longest))
        {
            var merged = Texts(EventMerge.Of(talk.Envelopes));

            Assert.Equal(merged, Texts(EventMerge.Of(EventMerge.Of(talk.Envelopes))));
            for (var cut = 0; cut <= talk.Envelopes.Count; cut += 1 + (cut / 4))
                Assert.Equal(merged, Texts(EventMerge.Of([.. EventMerge.Of(talk.Envelopes.Take(cut)), .. talk.Envelopes.Skip(cut)])));
        }
    }

    [Theory]
    [MemberData(nameof(Talks))]
    public void A_client_that_stopped_anywhere_is_told_the_same_text(int firstSeed, int longest)
    {
        foreach (var talk in Several(firstSeed, longest))
        {
            var (merged, whole) = (EventMerge.Of(talk.Envelopes), MadeUpTalk.Texts(talk.Envelopes));
            for (var seen = 0; seen <= talk.Envelopes.Count; seen += 1 + (seen / 4))
                Assert.Equal(whole, MadeUpTalk.Texts([.. talk.Envelopes.Take(seen), .. merged.Where(envelope => MadeUpTalk.RangeOf(envelope).Seq > seen)]));
        }
    }

    [Theory]
    [MemberData(nameof(Talks))]
    public void The_digest_of_a_run_is_the_same_before_and_after_however_its_events_were_batched_and_merged(int firstSeed, int longest)
    {
        foreach (var talk in Several(firstSeed, longest))
        {
            var digest = DigestOf(talk.Envelopes);

            Assert.Equal(digest, DigestOf(EventMerge.Of(talk.Envelopes)));
            for (var cut = 0; cut <= talk.Envelopes.Count; cut += 1 + (cut / 4))
                Assert.Equal(digest, DigestOf([.. EventMerge.Of(talk.Envelopes.Take(cut)), .. EventMerge.Of(talk.Envelopes.Skip(cut))]));
        }
    }

    [Fact]
    public void Another_text_another_number_another_time_and_another_order_are_another_digest()
    {
        var digests = new HashSet<string>();
        Assert.All(
            new ReadOnlyMemory<byte>[][]
            {
                [Delta(1, 0, "ab"), Delta(2, 2, "cd")],
                [Delta(1, 0, "ab"), Delta(2, 2, "ce")],
                [Delta(2, 0, "ab"), Delta(3, 2, "cd")],
                [Delta(1, 0, "ab"), Delta(2, 2, "cd", part: "q")],
                [Delta(1, 1, "ab"), Delta(2, 3, "cd")],
                [Delta(1, 0, "ab", minute: 1), Delta(2, 2, "cd")],
                [Delta(1, 0, "cd"), Delta(2, 2, "ab")],
                [Delta(1, 0, "ab", type: "agent.reasoning"), Delta(2, 2, "cd", type: "agent.reasoning")],
                [Delta(1, 0, "ab")],
                [],
            },
            events => Assert.True(digests.Add(DigestOf(events))));
    }

    [Fact]
    public void A_merged_event_has_the_number_and_the_cursor_of_the_last_and_the_time_of_the_first() => Assert.Equal(
        ["""{"cursor":"1.8","seq":8,"from":7,"at":"2026-03-04T12:00:00.000Z","type":"agent.text","messageId":"msg_00000000000000000000000007","data":{"part":"p","offset":0,"text":"Hé\u006clo, wörld"}}"""],
        Texts(EventMerge.Of([Delta(7, 0, "Hé\\u006clo"), Delta(8, 5, ", wörld", minute: 1)])));

    [Fact]
    public void An_event_never_grows_beyond_64_KiB_and_a_longer_text_is_several()
    {
        List<ReadOnlyMemory<byte>> deltas = [];
        for (var i = 0; i < 3_000; i++) deltas.Add(Delta(i + 1, i * 100, new string('y', 100)));

        var merged = EventMerge.Of(deltas);

        Assert.Equal(5, merged.Count);
        Assert.All(merged, envelope => Assert.InRange(envelope.Length, 1, EventMerge.MaxBytes));
        Assert.All(merged.SkipLast(1), envelope => Assert.InRange(envelope.Length, EventMerge.MaxBytes - 1_024, EventMerge.MaxBytes));
        Assert.Equal(MadeUpTalk.Texts(deltas), MadeUpTalk.Texts(merged));
    }

    [Fact]
    public void A_half_character_at_the_end_of_a_piece_and_its_other_half_at_the_next_are_one_again()
    {
        using var merged = JsonDocument.Parse(Assert.Single(EventMerge.Of([Delta(1, 0, "\\ud83e"), Delta(2, 1, "\\udd8a")])));
        Assert.Equal("🦊", merged.RootElement.GetProperty("data").GetProperty("text").GetString());
    }

    [Theory]
    [InlineData("not JSON")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"cursor":"1.1","seq":1,"at":"t","type":"agent.text","messageId":"m","data":{"part":"p","offset":0,"text":1}}""")]
    [InlineData("""{"cursor":"1.1","seq":1,"at":"t","type":"agent.text","messageId":"m","data":{"part":"p","offset":-1,"text":"a"}}""")]
    [InlineData("""{"cursor":"1.1","seq":1,"at":"t","type":"agent.text","messageId":"m","data":{"part":"p","offset":0.5,"text":"a"}}""")]
    [InlineData("""{"cursor":"1.1","seq":1,"at":"t","type":"agent.text","messageId":"m","data":{"part":"p","text":"a","text":"b","offset":0}}""")]
    [InlineData("""{"cursor":"1.1","seq":1,"from":2,"at":"t","type":"agent.text","messageId":"m","data":{"part":"p","offset":0,"text":"a"}}""")]
    [InlineData("""{"cursor":"1.1","seq":1,"at":"t","type":"agent.text","messageId":"m","data":{"part":"p","offset":0,"text":"a"},"more":1}""")]
    [InlineData("""{"cursor":"1.1","seq":1,"at":"t","type":"agent.text","messageId":"m","data":{"part":"p","offset":0,"text":"a"}""")]
    [InlineData("""{"cursor":"1.1","seq":1,"at":"t","type":"agent.text","messageId":"m","data":{"\ud800":0}}""")]
    [InlineData("""{"cursor":"1.1","seq":1,"at":"t","type":"agent.text","messageId":"m","\ud800":0,"data":{}}""")]
    public void What_is_no_piece_of_text_stays_as_it_is(string envelope)
    {
        ReadOnlyMemory<byte>[] twice = [Encoding.UTF8.GetBytes(envelope), Encoding.UTF8.GetBytes(envelope)];

        Assert.Equal([envelope, envelope], Texts(EventMerge.Of(twice)));
        Assert.NotEqual(RunDigest.Empty.Text, DigestOf(twice));
    }

    private static IEnumerable<MadeUpTalk> Several(int firstSeed, int longest) =>
        Enumerable.Range(firstSeed, longest > 100 ? 2 : 25).Select(seed => new MadeUpTalk(seed, longest > 100 ? 400 : 60, longest));

    private static string DigestOf(IEnumerable<ReadOnlyMemory<byte>> envelopes) => envelopes.Aggregate(RunDigest.Empty, (digest, envelope) => digest.Add(envelope.Span)).Text;

    private static IEnumerable<string> Texts(IEnumerable<ReadOnlyMemory<byte>> envelopes) => envelopes.Select(MadeUpTalk.Text);

    private static ReadOnlyMemory<byte> Delta(long seq, int offset, string text, string part = "p", string type = "agent.text", int minute = 0)
    {
        var buffer = new EventBuffer();
        Assert.True(Ports.MessageId.TryParse("msg_00000000000000000000000007", out var message));
        buffer.Append(1, seq, new(2026, 3, 4, 12, minute, 0, TimeSpan.Zero), type, message, Encoding.UTF8.GetBytes($$"""{"part":"{{part}}","offset":{{offset}},"text":"{{text}}"}"""));
        return buffer.Utf8.ToArray();
    }
}
