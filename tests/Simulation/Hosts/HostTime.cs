using Coordinator.Tests.Simulation.World;

namespace Coordinator.Tests.Simulation.Hosts;

/// <summary>The clock of one host, wrong as it may be, and timers that die with its process.</summary>
internal sealed class HostTime(SimWorld world, SimHost host) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => host.Clock;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new HostTimer(world, host, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class HostTimer(SimWorld world, SimHost host, Action ring) : ITimer
    {
        private int armed;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var mine = ++armed;
            if (dueTime == Timeout.InfiniteTimeSpan) return true;
            host.After(dueTime, () =>
            {
                if (mine == armed) ring();
                else world.Nothing();
            });
            return true;
        }

        public void Dispose() => armed++;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
