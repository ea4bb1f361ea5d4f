using System.Text;
using System.Text.Json;
using Coordinator.Modules.SessionAccess.Clients;
using Coordinator.Modules.SessionAccess.Sockets;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Modules.Protocol;

public sealed class SharedFramesTests
{
    [Fact]
    public void A_batch_is_one_frame_and_every_socket_sends_the_same_bytes()
    {
        var batch = Batch(1, """{"seq":1}""", """{"seq":2}""");

        var frame = Assert.Single(SharedFrames.Of(batch));

        Assert.Equal("""{"type":"events","events":[{"seq":1},{"seq":2}]}""", Text(frame));
        Assert.True(frame.Equals(SharedFrames.Of(batch)[0]));
    }

    [Fact]
    public void A_batch_larger_than_a_frame_is_several_frames_in_order()
    {
        var envelopes = Enumerable.Range(1, 10).Select(seq => $$"""{"seq":{{seq}},"text":"{{new string('x', 60_000)}}"}""").ToArray();

        var frames = SharedFrames.Of(Batch(1, envelopes));

        Assert.True(frames.Count > 1);
        Assert.All(frames, frame => Assert.InRange(frame.Length, 1, FrameSocket.MaxFrameBytes));
        Assert.Equal(Enumerable.Range(1, 10), frames.SelectMany(SeqsOf));
    }

    [Fact]
    public void Batches_that_wait_together_are_one_frame()
    {
        EventBatch[] batches = [Batch(1, """{"seq":1}"""), Batch(2, """{"seq":2}""", """{"seq":3}""")];
        var frame = new byte[SharedFrames.LengthOf(batches)];

        SharedFrames.Join(batches, frame);

        Assert.Equal("""{"type":"events","events":[{"seq":1},{"seq":2},{"seq":3}]}""", Text(frame));
    }

    [Fact]
    public void A_view_is_one_frame() =>
        Assert.Equal("""{"type":"view","session":{"id":"x"}}""", Text(SharedFrames.Of(new SessionView(new(1, 2), """{"id":"x"}"""u8.ToArray()))));

    private static IEnumerable<int> SeqsOf(ReadOnlyMemory<byte> frame)
    {
        using var document = JsonDocument.Parse(frame);
        return [.. document.RootElement.GetProperty("events").EnumerateArray().Select(envelope => envelope.GetProperty("seq").GetInt32())];
    }

    private static EventBatch Batch(long firstSeq, params string[] envelopes)
    {
        var slices = new List<EventSlice>();
        var offset = 0;
        foreach (var envelope in envelopes)
        {
            var length = Encoding.UTF8.GetByteCount(envelope);
            slices.Add(new(firstSeq + slices.Count, offset, length));
            offset += length + 1;
        }

        return new(firstSeq, firstSeq + envelopes.Length - 1, Encoding.UTF8.GetBytes(string.Join(',', envelopes)), slices);
    }

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);
}
