using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Adapters.InProcess;

/// <summary>Calls that wait for their reply. While none does, which is nearly always, nothing is held for them.</summary>
internal sealed class PendingCalls
{
    private readonly Lock gate = new();
    private Dictionary<long, TaskCompletionSource<Result<SessionReply>>>? waiting;
    private long lastId;

    public (long CallId, Task<Result<SessionReply>> Reply) Add()
    {
        var reply = new TaskCompletionSource<Result<SessionReply>>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (gate)
        {
            (waiting ??= []).Add(++lastId, reply);
            return (lastId, reply.Task);
        }
    }

    public void Complete(long callId, Result<SessionReply> result)
    {
        TaskCompletionSource<Result<SessionReply>>? reply = null;
        lock (gate) waiting?.TryGetValue(callId, out reply);
        reply?.TrySetResult(result);
    }

    public void Forget(long callId)
    {
        lock (gate)
            if (waiting?.Remove(callId) == true && waiting.Count == 0) waiting = null;
    }

    public void FailAll(PortException failure)
    {
        TaskCompletionSource<Result<SessionReply>>[] replies;
        lock (gate) replies = waiting is null ? [] : [.. waiting.Values];
        foreach (var reply in replies) reply.TrySetException(failure);
    }
}
