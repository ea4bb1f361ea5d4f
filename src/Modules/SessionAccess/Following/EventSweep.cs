using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Coordinator.Modules.SessionAccess.Following;

/// <summary>What goes through the events of sessions that sleep, again and again, for as long as the host runs. A sweep tells its own failures; one that nobody foresaw ends it, and neither the next nor the host.</summary>
internal abstract partial class EventSweep(TimeProvider time, ILogger logger) : BackgroundService
{
    internal static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);

    protected TimeProvider Time { get; } = time;

    protected ILogger Logger { get; } = logger;

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
            try
            {
                await SweepAsync(age, stoppingToken);
            }
            catch (Exception failure) when (failure is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
            {
                LogUnforeseen(Logger, GetType().Name, failure); // a background service that throws takes its whole host down
            }
        }
    }

    [LoggerMessage(EventId = 2331, Level = LogLevel.Error, Message = "A sweep of {Sweep} ended as nobody foresaw; the next follows.")]
    private static partial void LogUnforeseen(ILogger logger, string sweep, Exception failure);
}
