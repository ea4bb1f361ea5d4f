using Coordinator.Ports.Session;

namespace Coordinator.Adapters.InProcess;

/// <summary>
/// Consecutive events of many batches, side by side in one piece of memory. It only grows at its end, so what was taken out
/// of it stays as it is. Has one writer; whoever reads meanwhile holds the writer's lock.
/// </summary>
internal sealed class EventChunk
{
    /// <summary>Below the large-object heap, and several of them fit into one frame.</summary>
    public const int MostBytes = 64 * 1024;

    private const int BytesPerSlice = 256;

    private readonly byte[] bytes;
    private EventSlice[] slices;
    private int used;
    private int count;

    /// <summary>Room for so many bytes.</summary>
    public EventChunk(int capacity)
    {
        bytes = GC.AllocateUninitializedArray<byte>(capacity);
        slices = new EventSlice[Math.Max(4, capacity / BytesPerSlice)];
    }

    public int Capacity => bytes.Length;

    public long FirstSeq => slices[0].Seq;

    public long LastSeq => slices[count - 1].Seq;

    /// <summary>The room that an event takes, the comma before it included.</summary>
    public static int RoomFor(EventSlice slice) => slice.Length + 1;

    public bool Fits(EventSlice slice) => used + RoomFor(slice) <= bytes.Length;

    public bool Fits(EventBatch batch) => used + 1 + batch.Utf8.Length <= bytes.Length;

    /// <summary>Takes in one event of a batch: the next one.</summary>
    public void Add(EventSlice slice, ReadOnlySpan<byte> batch)
    {
        if (count == slices.Length) Array.Resize(ref slices, count * 2); // a new one: the old is in readers' hands
        if (count > 0) bytes[used++] = (byte)',';
        batch.Slice(slice.Offset, slice.Length).CopyTo(bytes.AsSpan(used));
        slices[count++] = slice with { Offset = used };
        used += slice.Length;
    }

    /// <summary>What is in it now, for whoever may have to keep it: without the room beside it, when that is more than it takes itself.</summary>
    public EventBatch ToFittingBatch() =>
        used > bytes.Length / 2 ? ToBatch() : new(FirstSeq, LastSeq, bytes.AsMemory(0, used).ToArray(), slices[..count]);

    /// <summary>What is in it now.</summary>
    public EventBatch ToBatch() => new(FirstSeq, LastSeq, bytes.AsMemory(0, used), new ArraySegment<EventSlice>(slices, 0, count));
}
