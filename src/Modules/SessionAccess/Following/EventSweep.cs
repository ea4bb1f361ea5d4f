using Microsoft.Extensions.Hosting;

namespace Coordinator.Modules.SessionAccess.Following;

/// <summary>What goes through the events of sessions that sleep, again and again, for as long as the host runs. A sweep tells its own failures.</summary>
internal abstract class EventSweep(TimeProvider time) : BackgroundService
{
    internal static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);

    protected TimeProvider Time { get; } = time;

    /// <summary>How old what it looks for is at least; null: it is switched off.</summary>
    protected abstract TimeSpan? Age { get; }

    /// <summary>How long after the host's start the first sweep is.</summary>
    protected virtual TimeSpan FirstAfter => Interval;

    /// <summary>Does what is due by now.</summary>
    internal abstract Task SweepAsync(TimeSpan age, CancellationToken cancellationToken);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (Age is not { } age) return;
        for (var pause = FirstAfter; ; pause = Interval)
        {
            await Task.Delay(pause, Time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stoppingToken.IsCancellationRequested) return;
            await SweepAsync(age, stoppingToken);
        }
    }
}
