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

    private static JournalRecord Record(string payload, long first, long last) =>
        new(3, first, last, JournalRecord.CurrentSchema, RecordEvents.JsonCodec, Encoding.UTF8.GetBytes(payload), DateTimeOffset.UnixEpoch);

    private static string[] Envelopes(EventBatch batch) => [.. batch.Events.Select(slice => Text(batch.Utf8.Slice(slice.Offset, slice.Length)))];

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);
}
