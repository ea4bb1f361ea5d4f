using Coordinator.Ports.Session;

namespace Coordinator.Adapters.InProcess;

/// <summary>
/// What one activation has published last, bounded in bytes: only what is durable, and without a gap up to its end. It ends
/// with its activation; what another writes is then in the journal alone.
/// </summary>
internal sealed class SessionTail(RecentEvents all, JournalLease lease, int mostBytes)
{
    private const int LeastChunk = 2 * 1024;

    private readonly Lock gate = new();
    private readonly Queue<EventChunk> chunks = new();
    private EventChunk? newest;
    private SessionView? view;
    private long end = lease.Seq;
    private long bytes;
    private bool over;

    /// <summary>Takes in what was just published.</summary>
    public void Add(EventBatch batch)
    {
        lock (gate)
        {
            if (over || batch.Events.Count == 0) return;
            if (batch.FirstSeq != end + 1) ClearLocked();
            foreach (var slice in batch.Events) RoomLocked(slice).Add(slice, batch.Utf8.Span);
            end = batch.LastSeq;
            if (batch.View is { } shown) view = shown with { }; // one of its own: what its followers were sent hangs on theirs, and goes with it
        }

        all.KeepToBound();
    }

    /// <summary>
    /// Everything after <paramref name="cursor"/>, if it is still here and reaches <paramref name="least"/>; the last batch with
    /// the view, where one was published. Null when only the journal can tell.
    /// </summary>
    public IReadOnlyList<EventBatch>? After(SessionCursor cursor, long least)
    {
        lock (gate)
        {
            if (over || cursor.Incarnation != lease.Incarnation || end < least || cursor.Seq > end) return null;
            if (cursor.Seq == end) return [];
            if (!chunks.TryPeek(out var oldest) || oldest.FirstSeq > cursor.Seq + 1) return null;
            var batches = new List<EventBatch>(chunks.Count);
            foreach (var chunk in chunks)
                if (chunk.ToBatch().After(cursor.Seq) is { } batch) batches.Add(batch);
            batches[^1] = batches[^1] with { View = view };
            return batches;
        }
    }

    /// <summary>Lets its oldest part go, if that is it still.</summary>
    public void Drop(EventChunk chunk)
    {
        lock (gate)
            if (chunks.TryPeek(out var oldest) && oldest == chunk) DropOldestLocked();
    }

    /// <summary>Nothing is told from it any more.</summary>
    public void End()
    {
        lock (gate)
        {
            over = true;
            ClearLocked();
        }
    }

    private EventChunk RoomLocked(EventSlice slice)
    {
        if (newest is { } last && last.Fits(slice)) return last;
        var doubled = Math.Clamp((newest?.Capacity ?? 0) * 2, LeastChunk, EventChunk.MostBytes);
        newest = new(Math.Max(doubled, EventChunk.RoomFor(slice)));
        chunks.Enqueue(newest);
        bytes += newest.Capacity;
        all.Took(this, newest);
        while (bytes > mostBytes && chunks.Count > 1) DropOldestLocked();
        return newest;
    }

    private void DropOldestLocked()
    {
        var oldest = chunks.Dequeue();
        bytes -= oldest.Capacity;
        all.Gave(oldest);
        if (chunks.Count == 0) newest = null;
    }

    private void ClearLocked()
    {
        while (chunks.Count > 0) DropOldestLocked();
        view = null;
    }
}
