using System.Collections.Concurrent;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Adapters.InProcess;

/// <summary>
/// What the sessions that are awake here have published last, so that a follower who was away for a moment is told it
/// without asking the journal. Bounded for each session and for all together; beyond it the oldest is let go first.
/// </summary>
internal sealed class RecentEvents(int bytesOfSession, long bytesOfAll)
{
    private readonly ConcurrentDictionary<SessionKey, SessionTail> tails = new();
    private readonly Lock gate = new();
    private readonly LinkedList<(SessionTail Tail, EventChunk Chunk)> byAge = new();
    private readonly Dictionary<EventChunk, LinkedListNode<(SessionTail Tail, EventChunk Chunk)>> places = [];
    private long bytes;

    /// <summary>What is held now.</summary>
    public long Bytes => Interlocked.Read(ref bytes);

    /// <summary>Begins a session's tail with an activation, at the lease's place.</summary>
    public SessionTail Begin(JournalLease lease) => tails[lease.Key] = new(this, lease, bytesOfSession);

    /// <summary>Ends the tail with its activation.</summary>
    public void End(SessionKey key, SessionTail tail)
    {
        tails.TryRemove(new(key, tail));
        tail.End();
    }

    /// <summary>As <see cref="SessionTail.After"/>; null too when the session is not awake here.</summary>
    public IReadOnlyList<EventBatch>? After(SessionKey key, SessionCursor cursor, long least) => tails.TryGetValue(key, out var tail) ? tail.After(cursor, least) : null;

    /// <summary>A tail has grown by a chunk. Called under the tail's lock, which is always taken before this one's.</summary>
    public void Took(SessionTail tail, EventChunk chunk)
    {
        lock (gate)
        {
            places.Add(chunk, byAge.AddLast((tail, chunk)));
            Interlocked.Add(ref bytes, chunk.Capacity);
        }
    }

    /// <summary>A tail has let a chunk go. Called under the tail's lock.</summary>
    public void Gave(EventChunk chunk)
    {
        lock (gate)
        {
            if (!places.Remove(chunk, out var place)) return;
            byAge.Remove(place);
            Interlocked.Add(ref bytes, -chunk.Capacity);
        }
    }

    /// <summary>Lets the oldest go while there is too much. Called under no tail's lock.</summary>
    public void KeepToBound()
    {
        while (Bytes > bytesOfAll && Oldest() is { } oldest) oldest.Tail.Drop(oldest.Chunk);
    }

    private (SessionTail Tail, EventChunk Chunk)? Oldest()
    {
        lock (gate) return byAge.First?.Value;
    }
}
