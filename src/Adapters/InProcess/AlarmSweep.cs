using Coordinator.Ports;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Coordinator.Adapters.InProcess;

/// <summary>
/// Asks the alarm clock which sessions are due, at once at start and then at an interval, and wakes them. At the first look
/// also those that will be due soon: a host that starts may be the successor of one that died over them, whose box may have
/// died too, and then nobody else comes to wake them before their time.
/// </summary>
internal sealed class AlarmSweep(IWakesSessions host, IAlarmClock clock, IOptions<SessionHostOptions> options, TimeProvider time) : BackgroundService
{
    private const int Batch = 64;

    /// <summary>Longer than a session at work lets itself sleep at the most.</summary>
    private static readonly TimeSpan FirstLook = TimeSpan.FromSeconds(90);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.AlarmInterval, time);
        var (ahead, failures) = (FirstLook, 0);
        do
        {
            try
            {
                if (await SweepAsync(ahead, stoppingToken)) ahead = TimeSpan.Zero;
                failures = 0;
            }
            catch (PortException e)
            {
                // The store may still be starting at the first look; a second failure is worth a line, the next ones are not.
                if (++failures == 2) host.Log.AlarmsFailed(e);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>False when it may not look yet.</summary>
    private async Task<bool> SweepAsync(TimeSpan ahead, CancellationToken cancellationToken)
    {
        IReadOnlyList<SessionKey> due;
        do
        {
            if (!host.TakesSessions) return false; // what is handed out here is hidden from the hosts that do
            due = await clock.ClaimDueAsync(Batch, ahead, options.Value.AlarmHide, cancellationToken);
            foreach (var key in due) await host.WakeAsync(key, cancellationToken);
        }
        while (due.Count == Batch);
        return true;
    }
}

/// <summary>What is told of due sessions.</summary>
internal interface IWakesSessions
{
    HostLog Log { get; }

    /// <summary>False while it would leave a due session asleep.</summary>
    bool TakesSessions { get; }

    Task WakeAsync(SessionKey key, CancellationToken cancellationToken);
}
