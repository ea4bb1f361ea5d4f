namespace Coordinator.Adapters.OpenCode.Turns;

/// <summary>Remembers the last <paramref name="capacity"/> ids, so that an event delivered twice is taken once.</summary>
internal sealed class RecentIds(int capacity)
{
    private readonly HashSet<string> known = new(StringComparer.Ordinal);
    private readonly Queue<string> order = new();

    /// <summary>False when the id was seen.</summary>
    public bool Add(string id)
    {
        if (!known.Add(id)) return false;
        order.Enqueue(id);
        if (order.Count > capacity) known.Remove(order.Dequeue());
        return true;
    }
}
