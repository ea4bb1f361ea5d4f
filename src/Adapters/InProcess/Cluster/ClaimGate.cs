namespace Coordinator.Adapters.InProcess.Cluster;

/// <summary>
/// The way from a claim on a session to its actor here. A host that stops lets who is on it arrive: what it claimed and did not open
/// would be nobody else's until it has left. Thread safe.
/// </summary>
internal sealed class ClaimGate
{
    private readonly Lock gate = new();
    private readonly TaskCompletionSource empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int inside;
    private bool closed;

    /// <summary>True once nobody else is let in.</summary>
    public bool IsClosed
    {
        get
        {
            lock (gate) return closed;
        }
    }

    /// <summary>False: the host stops, and claims nothing more. Whoever was let in leaves by <see cref="Leave"/>.</summary>
    public bool TryEnter()
    {
        lock (gate)
        {
            if (!closed) inside++;
            return !closed;
        }
    }

    public void Leave()
    {
        lock (gate)
        {
            inside--;
            if (closed && inside == 0) empty.TrySetResult();
        }
    }

    /// <summary>Lets nobody in any more; the task ends when all have left.</summary>
    public Task CloseAsync()
    {
        lock (gate)
        {
            closed = true;
            if (inside == 0) empty.TrySetResult();
        }

        return empty.Task;
    }
}
