using System.Collections.Immutable;
using Coordinator.Ports.Session;

namespace Coordinator.Adapters.InProcess;

/// <summary>The box sockets joined to one activation: mostly one, so they stand side by side.</summary>
internal sealed class BridgeLinks
{
    private ImmutableArray<(long Id, IBridgeSink Sink)> sinks = [];
    private long lastId;

    public long Add(IBridgeSink sink)
    {
        var id = Interlocked.Increment(ref lastId);
        ImmutableInterlocked.Update(ref sinks, static (all, added) => all.Add(added), (id, sink));
        return id;
    }

    public IBridgeSink? Find(long linkId)
    {
        foreach (var (id, sink) in sinks)
            if (id == linkId) return sink;
        return null;
    }

    public void Remove(long linkId) => ImmutableInterlocked.Update(ref sinks, static (all, gone) => all.RemoveAll(link => link.Id == gone), linkId);

    public void CloseAll(LinkCloseReason reason, string detail)
    {
        foreach (var (_, sink) in sinks) sink.Close(reason, detail);
    }
}
