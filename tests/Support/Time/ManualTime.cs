namespace Coordinator.Tests.Support;

/// <summary>
/// A clock that stands still until a test moves it. Timers that come due fire inside <see cref="Advance"/>, in order of
/// their time, on the caller's thread.
/// </summary>
public sealed class ManualTime(DateTimeOffset start) : TimeProvider
{
    private readonly Lock gate = new();
    private readonly List<ManualTimer> timers = [];
    private readonly List<(int Count, TaskCompletionSource Reached)> awaited = [];
    private DateTimeOffset now = start;

    public ManualTime()
        : this(new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero))
    {
    }

    /// <summary>How far the wall clock is wrong. Timers and time stamps, which go by a clock of their own, do not notice.</summary>
    public TimeSpan Skew { get; set; }

    /// <summary>How many timers are set now.</summary>
    public int PendingTimers
    {
        get
        {
            lock (gate) return Pending;
        }
    }

    /// <summary>How long it is until the next timer is due; null while none is set.</summary>
    public TimeSpan? NextIn
    {
        get
        {
            lock (gate) return timers.Min(timer => timer.DueAt) - now;
        }
    }

    private int Pending => timers.Count(timer => timer.DueAt is not null);

    /// <summary>Waits until at least so many timers are set: until whoever is to wait for this clock does.</summary>
    public Task WaitForTimersAsync(int count)
    {
        lock (gate)
        {
            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            awaited.Add((count, reached));
            TellWaiters();
            return reached.Task.WaitAsync(TimeSpan.FromSeconds(60), System);
        }
    }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow()
    {
        lock (gate) return now + Skew;
    }

    public override long GetTimestamp()
    {
        lock (gate) return now.Ticks;
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Moves time forward, firing on the way what comes due.</summary>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        var until = new DateTimeOffset(GetTimestamp(), TimeSpan.Zero) + by;
        while (NextDue(until) is { } due) due.Fire();
        lock (gate) now = until;
    }

    private ManualTimer? NextDue(DateTimeOffset until)
    {
        lock (gate)
        {
            var due = timers.Where(timer => timer.DueAt <= until).MinBy(timer => timer.DueAt);
            if (due is null) return null;
            if (due.DueAt > now) now = due.DueAt.Value;
            due.Schedule();
            return due;
        }
    }

    /// <summary>Called with the lock held.</summary>
    private void TellWaiters()
    {
        var pending = Pending;
        foreach (var waiter in awaited.Where(waiter => waiter.Count <= pending)) waiter.Reached.TrySetResult();
        awaited.RemoveAll(waiter => waiter.Count <= pending);
    }

    private sealed class ManualTimer(ManualTime time, Action fire) : ITimer
    {
        private TimeSpan period;

        public DateTimeOffset? DueAt { get; private set; }

        public void Fire() => fire();

        /// <summary>Sets the next time of a periodic timer; called with the clock's lock held.</summary>
        public void Schedule() => DueAt = period > TimeSpan.Zero ? DueAt + period : null;

        public bool Change(TimeSpan dueTime, TimeSpan newPeriod)
        {
            lock (time.gate)
            {
                period = newPeriod;
                DueAt = dueTime == Timeout.InfiniteTimeSpan ? null : time.now + dueTime;
                if (!time.timers.Contains(this)) time.timers.Add(this);
                time.TellWaiters();
                return true;
            }
        }

        public void Dispose()
        {
            lock (time.gate) time.timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
