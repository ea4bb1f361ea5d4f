namespace Coordinator.Client;

/// <summary>
/// What was asked over one socket and not answered yet. The host answers in order, so each answer is the oldest's. Who asks
/// where no answer will be read is told null at once.
/// </summary>
internal sealed class PendingAsks
{
    private const int Most = 64;

    private readonly Lock gate = new();
    private readonly Queue<TaskCompletionSource<SocketFrame?>> waiting = new();
    private bool heldUp;
    private bool over;

    /// <summary>Takes the next place, before the ask is sent; null when it should not be.</summary>
    public Task<SocketFrame?>? Add()
    {
        lock (gate)
        {
            if (heldUp || over || waiting.Count >= Most) return null;
            var ask = new TaskCompletionSource<SocketFrame?>(TaskCreationOptions.RunContinuationsAsynchronously);
            waiting.Enqueue(ask);
            return ask.Task;
        }
    }

    /// <summary>The host's answer to the oldest; null for a refusal.</summary>
    public void Answer(SocketFrame? answer)
    {
        lock (gate)
        {
            if (waiting.TryDequeue(out var ask)) ask.TrySetResult(answer);
        }
    }

    /// <summary>Events wait to be taken and nothing is read before they are: those who wait, and maybe take them, are told so. They keep their places.</summary>
    public void HoldUp()
    {
        lock (gate)
        {
            heldUp = true;
            foreach (var ask in waiting) ask.TrySetResult(null);
        }
    }

    public void GoOn()
    {
        lock (gate) heldUp = false;
    }

    /// <summary>No answer comes any more.</summary>
    public void End()
    {
        lock (gate)
        {
            over = true;
            while (waiting.TryDequeue(out var ask)) ask.TrySetResult(null);
        }
    }
}
