namespace Coordinator.Sandbox.Bridge;

/// <summary>
/// The numbers of the spool: what was appended, sent and acknowledged, and how large what is under way is. Sizes are
/// kept in order of <c>n</c>; sent ones move from one queue to the other, and back when the socket is lost.
/// </summary>
internal sealed class SpoolState
{
    private Queue<int> unsent = new();
    private Queue<int> sent = new();

    /// <param name="id">The spool's id.</param>
    /// <param name="ackedN">The last n that is not kept any more.</param>
    /// <param name="sizes">The sizes of the kept events, in order.</param>
    public SpoolState(string id, long ackedN, IEnumerable<int> sizes)
    {
        (Id, AckedN) = (id, ackedN);
        foreach (var size in sizes) unsent.Enqueue(size);
        LastN = ackedN + unsent.Count;
        LoadedN = LastN;
    }

    public string Id { get; private set; }

    public long AckedN { get; private set; }

    public long LastN { get; private set; }

    /// <summary>The last n that an earlier life of this program appended.</summary>
    public long LoadedN { get; private set; }

    public long SentN => AckedN + sent.Count;

    public int EventsUnderWay => sent.Count;

    public long BytesUnderWay { get; private set; }

    public int? NextSize => unsent.TryPeek(out var size) ? size : null;

    public long Append(int size)
    {
        unsent.Enqueue(size);
        return ++LastN;
    }

    /// <summary>Takes the next event as sent and returns its n.</summary>
    public long Send()
    {
        var size = unsent.Dequeue();
        sent.Enqueue(size);
        BytesUnderWay += size;
        return SentN;
    }

    /// <summary>Nothing is under way any more; what was is to be sent again.</summary>
    public void Unsend()
    {
        foreach (var size in unsent) sent.Enqueue(size);
        (unsent, sent) = (sent, unsent);
        sent.Clear();
        BytesUnderWay = 0;
    }

    /// <summary>Forgets everything up to <paramref name="n"/>, sent on this socket or on one before it.</summary>
    public void Acknowledge(long n)
    {
        for (; AckedN < n; AckedN++)
        {
            if (sent.TryDequeue(out var size)) BytesUnderWay -= size;
            else unsent.Dequeue();
        }
    }

    /// <summary>Starts again at 1 under a new id, with the events from <paramref name="keepFrom"/>.</summary>
    public void Renew(string id, long keepFrom)
    {
        Unsend();
        Acknowledge(keepFrom - 1);
        LoadedN = Math.Max(0, LoadedN - AckedN);
        (Id, AckedN, LastN) = (id, 0, unsent.Count);
    }
}
