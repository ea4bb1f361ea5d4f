namespace Coordinator.Ports.Session;

/// <summary>
/// A host's own judgement of whether it may still act under its id: by a monotonic clock that nobody sets, and after half of
/// its time to live, before its peers take it for dead. Kept by every <see cref="IHostRegistration"/>. Thread safe.
/// </summary>
public sealed class HostPulse : IDisposable
{
    private readonly Lock gate = new();
    private readonly CancellationTokenSource lost = new();
    private readonly TimeSpan longest;
    private readonly TimeProvider time;
    private readonly ITimer watch;
    private long heardAt;
    private HostLoss? loss;

    /// <param name="timeToLive">Within this long of its last beat, peers take over from the host.</param>
    /// <param name="heardAt">A time stamp of <paramref name="time"/> taken before the registration was sent.</param>
    public HostPulse(TimeSpan timeToLive, long heardAt, TimeProvider time)
    {
        (longest, this.heardAt, this.time) = (timeToLive / 2, heardAt, time);
        watch = time.CreateTimer(static self => ((HostPulse)self!).Look(), this, longest, longest / 10);
    }

    /// <summary>
    /// After this long without a beat, by the store's clock, peers take a host for dead: it has been told to stop by then, and the fence holds what it has not ended. The rest of its
    /// time to live is for noticing that, and for whoever waited for it to ask again.
    /// </summary>
    public static TimeSpan DeadAfter(TimeSpan timeToLive) => timeToLive * 0.75;

    /// <summary>Cancelled when the host has lost its registration.</summary>
    public CancellationToken Lost => lost.Token;

    /// <summary>Why it is lost; null while it holds.</summary>
    public HostLoss? Loss => Look();

    /// <summary>The store has heard the host. <paramref name="sentAt"/> is the time stamp before the beat was sent: when it arrived, nobody knows.</summary>
    public void Beat(long sentAt)
    {
        lock (gate) heardAt = sentAt;
    }

    /// <summary>Loses the registration. The first reason stays.</summary>
    public void Lose(HostLoss why)
    {
        lock (gate)
        {
            if (loss is not null) return;
            loss = why;
        }

        lost.Cancel();
    }

    /// <summary>Stops watching; the registration is then no more judged by it.</summary>
    public void Dispose() => watch.Dispose();

    private HostLoss? Look()
    {
        lock (gate)
        {
            if (loss is not null || time.GetElapsedTime(heardAt) < longest) return loss;
        }

        Lose(HostLoss.Unheard);
        return HostLoss.Unheard;
    }
}
