using System.Text;
using System.Text.Json;
using Coordinator.Modules.Sessions.State;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Modules.Journal;

/// <summary>Merging the events of a session's records, however they stand in them.</summary>
public sealed class RecordMergeTests
{
    private static IEnumerable<MadeUpTalk> Several => Enumerable.Range(1, 20).Select(seed => new MadeUpTalk(seed, 60));

    [Fact]
    public void The_records_tell_the_merged_events_and_keep_their_numbers_and_facts()
    {
        foreach (var talk in Several)
        {
            var records = talk.Records();

            var merged = Merge(records);

            Assert.Equal(records.Select(Kept), merged.Select(Kept));
            Assert.Equal(EventMerge.Of(talk.Envelopes).Select(MadeUpTalk.Text), EventsOf(merged));
            Assert.Equal(merged.Select(Whole), Merge(merged).Select(Whole));
        }
    }

    [Fact]
    public void Any_cursor_is_followed_by_an_event_that_covers_the_next_number()
    {
        foreach (var talk in Several)
        {
            var merged = Merge(talk.Records());
            for (var after = 0L; after < talk.Envelopes.Count; after++)
            {
                var batch = merged.Where(record => record.LastSeq > after).Select(RecordEvents.Read).First(batch => batch?.After(after) is not null)!.After(after)!;
                var (from, seq) = MadeUpTalk.RangeOf(batch.Utf8.Slice(batch.Events[0].Offset, batch.Events[0].Length));
                Assert.InRange(after + 1, from, seq);
                Assert.Equal((seq, MadeUpTalk.RangeOf(batch.Utf8.Slice(batch.Events[^1].Offset, batch.Events[^1].Length)).Seq), (batch.Events[0].Seq, batch.LastSeq));
            }
        }
    }

    [Fact]
    public void Where_it_stopped_nothing_is_lost_and_whoever_goes_on_tells_the_same_text()
    {
        foreach (var talk in Several.Take(3))
        {
            var records = talk.Records();
            var merge = new RecordMerge([]);
            var settled = new List<JournalRecord>();
            foreach (var record in records)
            {
                if (merge.Add(record) is not { Count: > 0 } some) continue;
                settled.AddRange(some);
                AssertTells(talk, [.. settled, .. records.Skip(settled.Count)]);
                AssertTells(talk, [.. settled, .. Merge(records.Skip(settled.Count))]);
            }
        }
    }

    [Fact]
    public void Events_of_which_a_digest_was_made_as_they_were_written_stay_so()
    {
        foreach (var talk in Several)
        {
            var untouched = new EventRange(talk.Envelopes.Count / 4, talk.Envelopes.Count * 3 / 4);

            var merged = EventsOf(Merge(talk.Records(), untouched)).ToList();

            Assert.Equal(
                [.. EventMerge.Of(talk.Envelopes.Take((int)untouched.From - 1)).Select(MadeUpTalk.Text),
                    .. talk.Envelopes.Skip((int)untouched.From - 1).Take((int)(untouched.To - untouched.From) + 1).Select(MadeUpTalk.Text),
                    .. EventMerge.Of(talk.Envelopes.Skip((int)untouched.To)).Select(MadeUpTalk.Text)],
                merged);
        }
    }

    [Fact]
    public void What_is_gone_stays_gone()
    {
        var records = new MadeUpTalk(1, 20).Records().ConvertAll(record => record with { Payload = """{"facts":[],"events":null}"""u8.ToArray() });

        Assert.Equal(records, Merge(records));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_waits_for_an_open_event_is_bounded_though_nothing_ends_it(bool isSaying)
    {
        const int Records = 5_000;
        var padding = new string(' ', 8_000);
        var (merge, waiting, settled) = (new RecordMerge([]), new Queue<int>(), new List<JournalRecord>());
        var envelopes = new List<ReadOnlyMemory<byte>>();
        for (var i = 1; i <= Records; i++)
        {
            var says = isSaying || i is 1 or Records;
            if (says) envelopes.Add(Encoding.UTF8.GetBytes(Empty(envelopes.Count + 1, isSaying ? padding : string.Empty)));
            var payload = $$"""{"facts":[{{(says ? string.Empty : padding)}}],"events":[{{(says ? MadeUpTalk.Text(envelopes[^1]) : string.Empty)}}]}""";
            var record = new JournalRecord(i, says ? envelopes.Count : envelopes.Count + 1, envelopes.Count, JournalRecord.CurrentSchema, RecordEvents.JsonCodec, Encoding.UTF8.GetBytes(payload), default);
            waiting.Enqueue(record.Payload.Length);
            settled.AddRange(merge.Add(record));
            while (waiting.Count > i - settled.Count) waiting.Dequeue();
            Assert.InRange(waiting.Sum(bytes => (long)bytes), 0, RecordMerge.MaxWaitingBytes);
        }

        settled.AddRange(merge.Finish());
        Assert.Equal(Enumerable.Range(1, Records), settled.Select(record => (int)record.Version));
        var merged = EventsOf(settled).Select(text => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(text)).ToList();
        Assert.Equal([.. merged.Select(envelope => MadeUpTalk.RangeOf(envelope).Seq).Prepend(0).SkipLast(1)], merged.Select(envelope => MadeUpTalk.RangeOf(envelope).From - 1));
        Assert.InRange(merged.Count, 2, 5);
        Assert.Equal(DigestOf(envelopes), DigestOf(merged));

        static string Empty(int seq, string padding) => $$$"""{"cursor":"1.{{{seq}}}","seq":{{{seq}}},"at":"t","type":"agent.text","messageId":"m","data":{{{{padding}}}"part":"p","offset":0,"text":""}}""";
    }

    [Theory]
    [InlineData(RecordEvents.MergedCodec, """{"events":[{"seq":4},{"seq":4}]}""")]
    [InlineData(RecordEvents.MergedCodec, """{"events":[{"seq":6}]}""")]
    [InlineData(RecordEvents.MergedCodec, """{"events":[{"seq":3}]}""")]
    [InlineData(RecordEvents.MergedCodec, """{"events":[{"from":5,"seq":4}]}""")]
    [InlineData(RecordEvents.MergedCodec, """{"events":[{"seq":"4"}]}""")]
    [InlineData(RecordEvents.CoveredCodec, """{"events":[{"seq":4}]}""")]
    public void A_merged_record_that_does_not_hold_what_it_says_is_corrupt(short codec, string payload) => Assert.Equal(
        PortFailureKind.Corrupt,
        Assert.Throws<PortException>(() => RecordEvents.Read(new(3, 4, 5, JournalRecord.CurrentSchema, codec, System.Text.Encoding.UTF8.GetBytes(payload), default))).Kind);

    private static string DigestOf(IEnumerable<ReadOnlyMemory<byte>> envelopes) => envelopes.Aggregate(RunDigest.Empty, (digest, envelope) => digest.Add(envelope.Span)).Text;

    internal static List<JournalRecord> Merge(IEnumerable<JournalRecord> records, params IReadOnlyList<EventRange> untouched)
    {
        var merge = new RecordMerge(untouched);
        return [.. records.SelectMany(record => merge.Add(record)).ToList(), .. merge.Finish()];
    }

    private static void AssertTells(MadeUpTalk talk, IReadOnlyList<JournalRecord> records)
    {
        var events = EventsOf(records).Select(text => (ReadOnlyMemory<byte>)System.Text.Encoding.UTF8.GetBytes(text)).ToList();
        Assert.Equal(MadeUpTalk.Texts(talk.Envelopes), MadeUpTalk.Texts(events));
        Assert.Equal([.. events.Select(envelope => MadeUpTalk.RangeOf(envelope).Seq).Prepend(0).SkipLast(1)], events.Select(envelope => MadeUpTalk.RangeOf(envelope).From - 1));
    }

    private static IEnumerable<string> EventsOf(IEnumerable<JournalRecord> records) =>
        from record in records
        let batch = RecordEvents.Read(record)
        where batch is not null
        from slice in batch.Events
        select MadeUpTalk.Text(batch.Utf8.Slice(slice.Offset, slice.Length));

    private static (long, long, long, short, DateTimeOffset, string) Kept(JournalRecord record)
    {
        using var payload = JsonDocument.Parse(record.Payload);
        return (record.Version, record.FirstSeq, record.LastSeq, record.Schema, record.At, payload.RootElement.GetProperty("facts").GetRawText());
    }

    private static (long, short, string) Whole(JournalRecord record) => (record.Version, record.Codec, MadeUpTalk.Text(record.Payload));
}
