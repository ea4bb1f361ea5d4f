using System.Collections.Concurrent;
using Coordinator.Ports.Session;

namespace Coordinator.Adapters.InProcess;

/// <summary>The box sockets joined to one activation.</summary>
internal sealed class BridgeLinks
{
    private readonly ConcurrentDictionary<long, IBridgeSink> sinks = new();
    private long lastId;

    public long Add(IBridgeSink sink)
    {
        var id = Interlocked.Increment(ref lastId);
        sinks[id] = sink;
        return id;
    }

    public IBridgeSink? Find(long linkId) => sinks.GetValueOrDefault(linkId);

    public void Remove(long linkId) => sinks.TryRemove(linkId, out _);

    public void CloseAll(LinkCloseReason reason, string detail)
    {
        foreach (var sink in sinks.Values) sink.Close(reason, detail);
    }
}
