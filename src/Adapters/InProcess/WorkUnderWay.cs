namespace Coordinator.Adapters.InProcess;

/// <summary>
/// What goes on for one session outside of its activation's turns: effects that it began, and what <see cref="SessionHolds"/> holds it for.
/// A host that ends waits for it, and what is then left undone is another host's.
/// </summary>
/// <param name="isHeld">Whether something else in the process holds the session.</param>
/// <param name="giveUp">Ends the activation in order. Called once nothing is under way and something was left undone, maybe more than once.</param>
internal sealed class WorkUnderWay(Func<bool> isHeld, Action giveUp)
{
    private readonly Lock gate = new();
    private int count;
    private bool leftUndone;
    private TaskCompletionSource? free;

    /// <summary>True when the host's end came before something that the session wants.</summary>
    public bool LeftUndone
    {
        get
        {
            lock (gate) return leftUndone;
        }
    }

    public void Begin()
    {
        lock (gate) count++;
    }

    /// <param name="isUndone">The session still wants it, and gets it from another host only.</param>
    public void End(bool isUndone)
    {
        lock (gate)
        {
            count--;
            leftUndone |= isUndone;
        }

        LookWhetherFree();
    }

    /// <summary>Completes once nothing is under way. Only for a host that begins no more of it.</summary>
    public Task WhenFree()
    {
        lock (gate) return IsBusy ? (free ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task : Task.CompletedTask;
    }

    /// <summary>To be told when what was under way may have ended.</summary>
    public void LookWhetherFree()
    {
        lock (gate)
        {
            if (IsBusy) return;
            free?.TrySetResult();
            if (!leftUndone) return;
        }

        giveUp();
    }

    /// <summary>Read under the gate.</summary>
    private bool IsBusy => count > 0 || isHeld();
}
