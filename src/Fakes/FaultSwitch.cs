using Coordinator.Ports;

namespace Coordinator.Fakes;

/// <summary>
/// Makes a fake fail on demand. Each fault has a variant before the effect (nothing happened) and one after it (it
/// happened, and the caller is not told), because callers have to treat them differently. Thread safe.
/// </summary>
public sealed class FaultSwitch
{
    private readonly Lock gate = new();
    private PortFailureKind beforeKind;
    private int before;
    private int after;

    /// <summary>The next <paramref name="calls"/> calls fail with <paramref name="kind"/> before they have any effect.</summary>
    public void FailBefore(PortFailureKind kind = PortFailureKind.Unavailable, int calls = int.MaxValue)
    {
        lock (gate) (beforeKind, before) = (kind, calls);
    }

    /// <summary>The next <paramref name="calls"/> calls take effect and then time out.</summary>
    public void LoseResponses(int calls = 1)
    {
        lock (gate) after = calls;
    }

    /// <summary>Everything works again.</summary>
    public void Clear()
    {
        lock (gate) (before, after) = (0, 0);
    }

    /// <summary>Runs one call of the fake under the faults that are set.</summary>
    internal ValueTask<T> Run<T>(Func<T> effect, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled<T>(cancellationToken);
        try
        {
            ThrowBefore();
            var answer = effect();
            ThrowAfter();
            return new(answer);
        }
        catch (PortException failure)
        {
            return ValueTask.FromException<T>(failure);
        }
    }

    /// <inheritdoc cref="Run{T}(Func{T}, CancellationToken)"/>
    internal async ValueTask Run(Action effect, CancellationToken cancellationToken) =>
        await Run(() =>
        {
            effect();
            return true;
        }, cancellationToken);

    private void ThrowBefore()
    {
        lock (gate)
        {
            if (before == 0) return;
            if (before != int.MaxValue) before--;
            throw new PortException(beforeKind, $"The fake was told to fail as {beforeKind} before any effect.");
        }
    }

    private void ThrowAfter()
    {
        lock (gate)
        {
            if (after == 0) return;
            if (after != int.MaxValue) after--;
            throw new PortException(PortFailureKind.Timeout, "The fake was told to lose its response after the effect.", effectMayHaveHappened: true);
        }
    }
}
