using Coordinator.Adapters.LocalSandbox.Layout;
using Coordinator.Adapters.LocalSandbox.Linux;
using Coordinator.Ports;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Coordinator.Adapters.LocalSandbox;

/// <summary>
/// Looks at the boxes every two seconds: ends one that uses more memory than it may where no control group does, and
/// keeps the log of each short. (A box that has no host for a while is not watched meanwhile.)
/// </summary>
internal sealed partial class BoxWatch(LocalMachineSetup setup, UnreadBoxes unread, TimeProvider time, ILogger<BoxWatch> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    /// <summary>The box's log beyond this many bytes starts anew; it is for finding out why a box did not start.</summary>
    private const long LongestLog = 4 * 1024 * 1024;

    /// <summary>One look at every box; one that cannot be looked at keeps no other from it.</summary>
    public async ValueTask LookAsync(CancellationToken cancellationToken)
    {
        var machine = await setup.ReadyAsync(cancellationToken);
        var (records, observer) = (new BoxRecords(machine.Paths), new BoxObserver(machine));
        var survey = records.Survey();
        unread.Update(machine.Paths, survey);
        Lazy<IReadOnlyList<ProcessEntry>> processes = new(ProcessTable.All);
        foreach (var record in survey.Records)
        {
            try
            {
                if (!observer.IsRunning(record)) continue;
                ShortenLog(machine.Paths.Of(record.Address).Log);
                if (record.MemoryLimited || observer.MainPidOf(record) is not { } main) continue;
                var resident = ProcessTable.Tree(main, processes.Value).Sum(process => process.ResidentBytes);
                if (resident > record.MemoryBytes) await EndAsync(machine, records, record, resident, cancellationToken);
            }
            catch (Exception e) when (e is PortException || DiskFailure.Is(e))
            {
                LogBoxFailed(record.Sandbox, e);
            }
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await LookAsync(stoppingToken);
            }
            catch (Exception e) when (e is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
            {
                LogLookFailed(e);
            }
        }
    }

    private async ValueTask EndAsync(LocalMachine machine, BoxRecords records, BoxRecord record, long resident, CancellationToken cancellationToken)
    {
        LogOutOfMemory(record.Sandbox, resident, record.MemoryBytes);
        using var held = await SessionLock.AcquireAsync(machine.Paths.LockOf(record.Session), time, cancellationToken);
        if (records.Find(record.Address) is not { } current) return;
        records.Write(current with { EndDetail = BoxObserver.OutOfMemory });
        await new BoxEnder(machine, time).EndAsync(current, cancellationToken);
    }

    /// <summary>The box appends, so its next line goes to the new beginning.</summary>
    private static void ShortenLog(string log)
    {
        var file = new FileInfo(log);
        if (!file.Exists || file.Length <= LongestLog) return;
        using var stream = new FileStream(log, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        stream.SetLength(0);
    }

    [LoggerMessage(5211, LogLevel.Warning, "Box {Sandbox} used {ResidentBytes} of {LimitBytes} bytes of memory and was ended.")]
    private partial void LogOutOfMemory(SandboxId sandbox, long residentBytes, long limitBytes);

    [LoggerMessage(5213, LogLevel.Error, "Box {Sandbox} could not be looked at; the next look follows.")]
    private partial void LogBoxFailed(SandboxId sandbox, Exception failure);

    [LoggerMessage(5212, LogLevel.Error, "A look at the boxes failed; the next follows.")]
    private partial void LogLookFailed(Exception failure);
}
