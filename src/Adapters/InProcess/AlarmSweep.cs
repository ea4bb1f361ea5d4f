using Coordinator.Ports;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Coordinator.Adapters.InProcess;

/// <summary>
/// Asks the alarm clock which sessions are due, at once when the host is ready and then at an interval, and wakes them, one after the other.
/// What a dead host had is woken without waiting for its next look: its box may have died too, and then nobody else comes to
/// wake it before its time. A host that has just begun looks so for whatever nobody has: it may be the successor of one that
/// died over it, or of itself before it lost its lock or its database. It does so for as long as a look can be away, since
/// what was handed out is hidden for a while, and whoever it was handed out to may die next.
/// </summary>
internal sealed class AlarmSweep(IWakesSessions host, IAlarmClock clock, IOptions<SessionHostOptions> options, TimeProvider time, IHostReadiness? readiness = null) : BackgroundService
{
    private const int Batch = 64;

    /// <summary>Longer than a session at work lets itself sleep at the most.</summary>
    internal static readonly TimeSpan LongestLook = TimeSpan.FromSeconds(90);

    private HostId? served;
    private long began;
    private bool leavesSome;

    /// <summary>
    /// What was handed out and not woken is its peers' once more when this host has left: until then it may own what it had only claimed, and that is
    /// not shown to anybody.
    /// </summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (!leavesSome) return;
        try
        {
            await clock.UnhideAsync(cancellationToken);
        }
        catch (Exception e) when (e is PortException or OperationCanceledException)
        {
            host.Log.AlarmsFailed(e); // it is shown again when its time is over
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (readiness is not null) await readiness.WhenReady.WaitAsync(stoppingToken); // a release that does not know the schema wakes nobody
        using var timer = new PeriodicTimer(options.Value.AlarmInterval, time);
        var failures = 0;
        do
        {
            try
            {
                await SweepAsync(stoppingToken);
                failures = 0;
            }
            catch (Exception e) when (e is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
            {
                served = null; // sessions may have been given up meanwhile: it begins anew

                // The store may still be starting at the first look; a second failure is worth a line, the next ones are not.
                if (e is not PortException) host.Log.SweepFailed(e);
                else if (++failures == 2) host.Log.AlarmsFailed(e);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task SweepAsync(CancellationToken cancellationToken)
    {
        if (host.ServesAs is not { } present) return; // what is handed out here is hidden from the hosts that serve
        if (served != present)
        {
            await clock.UnhideAsync(cancellationToken);
            (served, began, leavesSome) = (present, time.GetTimestamp(), false);
        }

        var ahead = new LookAhead(LongestLook, time.GetElapsedTime(began) <= LongestLook ? LongestLook : TimeSpan.Zero);
        IReadOnlyList<SessionKey> due;
        do
        {
            due = await clock.ClaimDueAsync(present, Batch, ahead, options.Value.AlarmHide, cancellationToken);
            leavesSome = due.Count > 0;
            foreach (var key in due)
            {
                if (await host.WakeAsync(key, cancellationToken)) continue;
                await clock.UnhideAsync(cancellationToken); // what it did not come to any more is its peers', and at once
                return;
            }

            leavesSome = false;
        }
        while (due.Count == Batch && host.ServesAs == present);
    }
}

/// <summary>What is told of due sessions.</summary>
internal interface IWakesSessions
{
    HostLog Log { get; }

    /// <summary>As whom it takes sessions; null while it would leave a due session asleep.</summary>
    HostId? ServesAs { get; }

    /// <summary>Wakes a due session, or tells its activation that time has passed. False when this host takes no sessions any more.</summary>
    Task<bool> WakeAsync(SessionKey key, CancellationToken cancellationToken);
}
