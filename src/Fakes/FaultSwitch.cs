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
    private Problem? beforeTold;
    private PortFailureKind afterKind;
    private TimeProvider? clock;
    private TimeSpan slowness;
    private int before;
    private int after;
    private int twice;
    private bool isTold;
    private bool isMet;

    /// <summary>True when it was told to show something that no call has met: whoever plays a fault has to see to it that it happens.</summary>
    public bool IsUnmet
    {
        get
        {
            lock (gate) return isTold && !isMet;
        }
    }

    /// <summary>
    /// The next <paramref name="calls"/> calls fail with <paramref name="kind"/> before they have any effect; <paramref name="told"/> is what who asks is told of it.
    /// </summary>
    public void FailBefore(PortFailureKind kind = PortFailureKind.Unavailable, int calls = int.MaxValue, Problem? told = null)
    {
        lock (gate) (beforeKind, beforeTold, before, isTold, isMet) = (kind, told, calls, true, false);
    }

    /// <summary>The next <paramref name="calls"/> calls take effect and then time out.</summary>
    public void LoseResponses(int calls = 1)
    {
        lock (gate) (afterKind, after, isTold, isMet) = (PortFailureKind.Timeout, calls, true, false);
    }

    /// <summary>The next <paramref name="calls"/> calls take effect, and what they answer cannot be understood.</summary>
    public void CorruptResponses(int calls = 1)
    {
        lock (gate) (afterKind, after, isTold, isMet) = (PortFailureKind.Corrupt, calls, true, false);
    }

    /// <summary>The next <paramref name="calls"/> calls arrive twice, as by a network or a proxy that repeats; the first answer is the caller's.</summary>
    public void Duplicate(int calls = 1)
    {
        lock (gate) (twice, isTold, isMet) = (calls, true, false);
    }

    /// <summary>Every call takes this long, by this clock, before anything of it happens.</summary>
    public void Slow(TimeSpan by, TimeProvider time)
    {
        lock (gate) (slowness, clock, isTold, isMet) = (by, time, true, false);
    }

    /// <summary>Everything works again.</summary>
    public void Clear()
    {
        lock (gate) (before, after, twice, slowness) = (0, 0, 0, TimeSpan.Zero);
    }

    /// <summary>Runs one call of the fake under the faults that are set.</summary>
    internal ValueTask<T> Run<T>(Func<T> effect, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled<T>(cancellationToken);
        lock (gate)
        {
            if (slowness > TimeSpan.Zero)
            {
                isMet = true;
                return RunLate(slowness, clock!, effect, cancellationToken);
            }
        }

        try
        {
            return new(RunNow(effect));
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

    private async ValueTask<T> RunLate<T>(TimeSpan by, TimeProvider time, Func<T> effect, CancellationToken cancellationToken)
    {
        await Task.Delay(by, time, cancellationToken);
        return RunNow(effect);
    }

    private T RunNow<T>(Func<T> effect)
    {
        ThrowBefore();
        var answer = effect();
        if (TakeTwice()) Repeat(effect);
        ThrowAfter();
        return answer;
    }

    /// <summary>The second arrival of a call: what it is refused with, nobody hears.</summary>
    private static void Repeat<T>(Func<T> effect)
    {
        try
        {
            effect();
        }
        catch (PortException)
        {
            // Its answer goes to nobody.
        }
    }

    private bool TakeTwice()
    {
        lock (gate)
        {
            if (twice == 0) return false;
            if (twice != int.MaxValue) twice--;
            isMet = true;
            return true;
        }
    }

    private void ThrowBefore()
    {
        lock (gate)
        {
            if (before == 0) return;
            if (before != int.MaxValue) before--;
            isMet = true;
            throw new PortException(beforeKind, $"The fake was told to fail as {beforeKind} before any effect.") { Told = beforeTold };
        }
    }

    private void ThrowAfter()
    {
        lock (gate)
        {
            if (after == 0) return;
            if (after != int.MaxValue) after--;
            isMet = true;
            throw new PortException(afterKind, $"The fake was told to fail as {afterKind} after the effect.", effectMayHaveHappened: true);
        }
    }
}
