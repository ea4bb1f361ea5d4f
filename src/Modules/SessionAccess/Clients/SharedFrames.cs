using System.Runtime.CompilerServices;
using Coordinator.Modules.SessionAccess.Sockets;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.SessionAccess.Clients;

/// <summary>
/// The frames that every follower of a session gets alike. Each is built once, by the first socket that sends it, and
/// lives as long as the batch or view it stands for.
/// </summary>
internal static class SharedFrames
{
    private static readonly ConditionalWeakTable<EventBatch, ReadOnlyMemory<byte>[]> Batches = [];
    private static readonly ConditionalWeakTable<SessionView, byte[]> Views = [];

    private static ReadOnlySpan<byte> EventsHead => "{\"type\":\"events\",\"events\":["u8;

    private static ReadOnlySpan<byte> EventsTail => "]}"u8;

    private static ReadOnlySpan<byte> ViewHead => "{\"type\":\"view\",\"session\":"u8;

    private static int Overhead => EventsHead.Length + EventsTail.Length;

    /// <summary>The frames of one batch: one, unless it is larger than a frame may be.</summary>
    public static IReadOnlyList<ReadOnlyMemory<byte>> Of(EventBatch batch) => Batches.GetValue(batch, static made => [.. Build(made)]);

    public static ReadOnlyMemory<byte> Of(SessionView view) => Views.GetValue(view, static made => [.. ViewHead, .. made.Json.Span, (byte)'}']);

    /// <summary>Whether a batch still fits behind <paramref name="used"/> bytes of other batches in one frame.</summary>
    public static bool Fits(int used, EventBatch batch) => used + 1 + batch.Utf8.Length + Overhead <= FrameSocket.MaxFrameBytes;

    /// <summary>How long the frame of several batches is.</summary>
    public static int LengthOf(IReadOnlyList<EventBatch> batches) => Overhead + batches.Sum(batch => batch.Utf8.Length) + batches.Count - 1;

    /// <summary>Writes one frame of several batches that waited together; <paramref name="frame"/> is as long as it.</summary>
    public static void Join(IReadOnlyList<EventBatch> batches, Span<byte> frame)
    {
        frame = Put(frame, EventsHead);
        for (var i = 0; i < batches.Count; i++)
        {
            if (i > 0) frame = Put(frame, ","u8);
            frame = Put(frame, batches[i].Utf8.Span);
        }

        Put(frame, EventsTail);
    }

    private static Span<byte> Put(Span<byte> frame, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(frame);
        return frame[bytes.Length..];
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Build(EventBatch batch)
    {
        var first = 0;
        while (first < batch.Events.Count)
        {
            var start = batch.Events[first].Offset;
            var (last, end) = (first, start + batch.Events[first].Length);
            while (last + 1 < batch.Events.Count && batch.Events[last + 1].Offset + batch.Events[last + 1].Length - start + Overhead <= FrameSocket.MaxFrameBytes)
            {
                last++;
                end = batch.Events[last].Offset + batch.Events[last].Length;
            }

            yield return Frame(batch.Utf8.Span[start..end]);
            first = last + 1;
        }
    }

    private static ReadOnlyMemory<byte> Frame(ReadOnlySpan<byte> envelopes) => (byte[])[.. EventsHead, .. envelopes, .. EventsTail];
}
