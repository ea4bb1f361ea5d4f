using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Coordinator.Modules.SessionAccess.Following;

/// <summary>
/// Every ten minutes, where <c>Sessions:KeepEvents</c> says for how long: the events of sessions that are older are removed, archived ones too.
/// A blob goes before the note of it, so that none is left that nothing tells of.
/// </summary>
internal sealed partial class EventRetention(ISessionJournal journal, IArtifactStore artifacts, IOptions<SessionAccessOptions> options, TimeProvider time, ILogger<EventRetention> logger) : EventSweep(time, logger)
{
    private const int ArchivesAtOnce = 100;

    protected override TimeSpan? Age => options.Value.KeepEvents;

    /// <summary>Removes what is old by now, a part at a time.</summary>
    internal override async Task SweepAsync(TimeSpan age, CancellationToken cancellationToken)
    {
        try
        {
            var sessions = 0;
            while (await journal.ExpireEventsAsync(age, cancellationToken) is > 0 and var some) sessions += some;
            if (sessions > 0) LogRemoved(Logger, sessions, age.TotalDays);
            await RemoveArchivesAsync(cancellationToken);
        }
        catch (PortException failure)
        {
            LogFailed(Logger, failure); // the next sweep goes on from here
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            LogStopped(Logger);
        }
    }

    private async Task RemoveArchivesAsync(CancellationToken cancellationToken)
    {
        var (failures, last) = (0, default(EventArchive));
        while (failures < JournalSweep.MostFailures && await journal.ListGoneArchivesAsync(last, ArchivesAtOnce, cancellationToken) is { Count: > 0 } gone)
        {
            foreach (var archive in gone.TakeWhile(_ => failures < JournalSweep.MostFailures)) failures = await TryRemoveAsync(archive, cancellationToken) ? 0 : failures + 1;
            last = gone[^1];
        }
    }

    /// <summary>One that cannot be removed is kept for the next sweep, and keeps no other from going.</summary>
    private async Task<bool> TryRemoveAsync(EventArchive archive, CancellationToken cancellationToken)
    {
        try
        {
            await artifacts.DeleteAsync(archive.Key.Organization, archive.Sha256, cancellationToken);
            await journal.ForgetArchiveAsync(archive, cancellationToken);
            return true;
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            LogNotRemoved(Logger, archive.Key, archive.Sha256, failure);
            return false;
        }
    }

    [LoggerMessage(EventId = 2301, Level = LogLevel.Information, Message = "Removed the events of {Sessions} sessions older than {Days:F1} days.")]
    private static partial void LogRemoved(ILogger logger, int sessions, double days);

    [LoggerMessage(EventId = 2302, Level = LogLevel.Warning, Message = "Old events could not be removed; tried again at the next sweep.")]
    private static partial void LogFailed(ILogger logger, Exception failure);

    [LoggerMessage(EventId = 2304, Level = LogLevel.Error, Message = "An archive of session {Session}, the artifact {Sha256}, could not be removed; tried again at the next sweep.")]
    private static partial void LogNotRemoved(ILogger logger, SessionKey session, string sha256, Exception failure);

    [LoggerMessage(EventId = 2303, Level = LogLevel.Debug, Message = "Stopped while old events were removed.")]
    private static partial void LogStopped(ILogger logger);
}
