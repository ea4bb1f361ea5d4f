using System.Collections.Concurrent;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Adapters.InProcess;

/// <summary>Calls that wait for their reply.</summary>
internal sealed class PendingCalls
{
    private readonly ConcurrentDictionary<long, TaskCompletionSource<Result<SessionReply>>> waiting = new();
    private long lastId;

    public (long CallId, Task<Result<SessionReply>> Reply) Add()
    {
        var reply = new TaskCompletionSource<Result<SessionReply>>(TaskCreationOptions.RunContinuationsAsynchronously);
        var id = Interlocked.Increment(ref lastId);
        waiting[id] = reply;
        return (id, reply.Task);
    }

    public void Complete(long callId, Result<SessionReply> result)
    {
        if (waiting.TryGetValue(callId, out var reply)) reply.TrySetResult(result);
    }

    public void Forget(long callId) => waiting.TryRemove(callId, out _);

    public void FailAll(PortException failure)
    {
        foreach (var reply in waiting.Values) reply.TrySetException(failure);
    }
}
