namespace Coordinator.Modules.SessionAccess.Clients;

/// <summary>
/// How many bytes may wait together. Who has more than there is room for waits until enough has left; what is larger than all
/// of it waits until nothing else does, and is alone then.
/// </summary>
internal sealed class ByteRoom(int most)
{
    private readonly Lock gate = new();
    private long used;
    private TaskCompletionSource? freed;

    public async ValueTask TakeAsync(int bytes, CancellationToken cancellationToken)
    {
        while (WaitFor(bytes) is { } room) await room.WaitAsync(cancellationToken);
    }

    public void Free(int bytes)
    {
        TaskCompletionSource? waiting;
        lock (gate)
        {
            used -= bytes;
            (waiting, freed) = (freed, null);
        }

        waiting?.TrySetResult();
    }

    /// <summary>Null when the room has been taken; else a task that ends when some was freed.</summary>
    private Task? WaitFor(int bytes)
    {
        lock (gate)
        {
            if (used > 0 && used + bytes > most) return (freed ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            used += bytes;
            return null;
        }
    }
}
