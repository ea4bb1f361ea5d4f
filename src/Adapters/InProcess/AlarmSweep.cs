using Coordinator.Ports;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Coordinator.Adapters.InProcess;

/// <summary>Asks the alarm clock which sessions are due, at once at start and then at an interval, and wakes them.</summary>
internal sealed class AlarmSweep(InProcessSessionHost host, IAlarmClock clock, IOptions<SessionHostOptions> options, TimeProvider time) : BackgroundService
{
    private const int Batch = 64;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.AlarmInterval, time);
        do
        {
            try
            {
                await SweepAsync(stoppingToken);
            }
            catch (PortException e)
            {
                host.Log.AlarmsFailed(e);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task SweepAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<SessionKey> due;
        do
        {
            due = await clock.ClaimDueAsync(Batch, options.Value.AlarmHide, cancellationToken);
            foreach (var key in due) await host.WakeAsync(key, cancellationToken);
        }
        while (due.Count == Batch);
    }
}
