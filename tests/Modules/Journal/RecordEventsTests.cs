using System.Text;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Modules.Journal;

public sealed class RecordEventsTests
{
    [Fact]
    public void The_envelopes_of_a_record_are_the_bytes_that_were_written()
    {
        var batch = RecordEvents.Read(Record("""{"facts":[{"events":[1]}],"events":[{"seq":4,"data":{"a":[1,{}]}},{"seq":5,"data":{"b":"},{"}}]}""", 4, 5));

        Assert.NotNull(batch);
        Assert.Equal((4, 5), (batch.FirstSeq, batch.LastSeq));
        Assert.Equal("""{"seq":4,"data":{"a":[1,{}]}},{"seq":5,"data":{"b":"},{"}}""", Text(batch.Utf8));
        Assert.Equal(["""{"seq":4,"data":{"a":[1,{}]}}""", """{"seq":5,"data":{"b":"},{"}}"""], Envelopes(batch));
        Assert.Equal([4L, 5L], batch.Events.Select(slice => slice.Seq));
    }

    [Fact]
    public void A_record_without_events_has_no_batch() =>
        Assert.Null(RecordEvents.Read(Record("""{"facts":[{}],"events":[]}""", 4, 3)));

    [Theory]
    [InlineData("""{"facts":[]}""")]
    [InlineData("""{"events":{}}""")]
    [InlineData("""{"events":[{}]}""")]
    [InlineData("""{"events":[{},{},{}]}""")]
    [InlineData("""{"events":[{},1]}""")]
    [InlineData("""{"events":[{},{}""")]
    [InlineData("[]")]
    [InlineData("\0\u0001\u0002")]
    public void A_payload_that_does_not_hold_what_its_record_says_is_corrupt(string payload) =>
        Assert.Equal(PortFailureKind.Corrupt, Assert.Throws<PortException>(() => RecordEvents.Read(Record(payload, 4, 5))).Kind);

    [Fact]
    public void A_codec_of_a_newer_release_is_refused() =>
        Assert.Equal(PortFailureKind.Corrupt, Assert.Throws<PortException>(() => RecordEvents.Read(Record("{}", 1, 1) with { Codec = 9 })).Kind);

    [Fact]
    public void The_part_of_a_batch_after_a_cursor_shares_its_bytes()
    {
        var batch = RecordEvents.Read(Record("""{"events":[{"n":1},{"n":22},{"n":3}]}""", 7, 9))!;

        var rest = batch.After(7)!;

        Assert.Equal("""{"n":22},{"n":3}""", Text(rest.Utf8));
        Assert.Equal(["""{"n":22}""", """{"n":3}"""], Envelopes(rest));
        Assert.Equal((8, 9), (rest.FirstSeq, rest.LastSeq));
        Assert.Same(batch, batch.After(6));
        Assert.Null(batch.After(9));
    }

    [Theory]
    [InlineData("""{"events":[{"n":1},{"n":2}]}""", 6, true)]
    [InlineData("""{"events":[{"n":1},{"n":2}]}""", 7, true)]
    [InlineData("""{"events":[{"n":1},{"n":2}]}""", 8, false)]
    [InlineData("""{"events":[{"n":1},{"n":2}]}""", 99, false)]
    [InlineData("""{"facts":[],"events":null}""", 8, false)]
    public void Whoever_has_had_what_stands_before_a_record_is_told_the_rest_of_it(string payload, long seq, bool isAny) =>
        Assert.Equal(isAny ? (seq + 1, 8) : ((long, long)?)null, RecordEvents.ReadAfter(Record(payload, 7, 8), seq) is { } rest ? (rest.FirstSeq, rest.LastSeq) : null);

    [Theory]
    [InlineData("""{"events":[{"n":1},{"n":2}]}""", 5)]
    [InlineData("""{"facts":[],"events":null}""", 6)]
    [InlineData("""{"facts":[],"events":null}""", 7)]
    public void Whoever_has_not_is_told_that_what_comes_next_was_removed(string payload, long seq) =>
        Assert.Equal(ProblemKind.Gone, Assert.Throws<PortException>(() => RecordEvents.ReadAfter(Record(payload, 7, 8), seq)).Told?.Kind);

    [Fact]
    public void An_event_that_covers_others_follows_on_the_first_of_them()
    {
        var merged = Record("""{"facts":[],"events":[{"seq":8,"from":4}]}""", 7, 8) with { Codec = RecordEvents.MergedCodec };

        foreach (var seq in new[] { 3, 5, 7 }) Assert.Equal(8, RecordEvents.ReadAfter(merged, seq)!.LastSeq);
        Assert.Throws<PortException>(() => RecordEvents.ReadAfter(merged, 2));
    }

    private static JournalRecord Record(string payload, long first, long last) =>
        new(3, first, last, JournalRecord.CurrentSchema, RecordEvents.JsonCodec, Encoding.UTF8.GetBytes(payload), DateTimeOffset.UnixEpoch);

    private static string[] Envelopes(EventBatch batch) => [.. batch.Events.Select(slice => Text(batch.Utf8.Slice(slice.Offset, slice.Length)))];

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);
}
