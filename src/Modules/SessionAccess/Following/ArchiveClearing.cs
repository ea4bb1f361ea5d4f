using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Logging;

namespace Coordinator.Modules.SessionAccess.Following;

/// <summary>
/// Every ten minutes: the blobs of archives that were begun an hour ago and are none are removed, whoever began them, and whether events are
/// archived still or not. Each is given up first, so that a host that stood still for so long archives nothing in it when it goes on.
/// </summary>
internal sealed partial class ArchiveClearing(ISessionJournal journal, IArtifactStore artifacts, TimeProvider time, ILogger<ArchiveClearing> logger) : EventSweep(time, logger)
{
    private const int ArchivesAtOnce = 100;

    /// <summary>Far more than the minute that a blob may take to be stored.</summary>
    protected override TimeSpan? Age => TimeSpan.FromHours(1);

    /// <summary>Removes what was begun longer ago and not noted, a part at a time.</summary>
    internal override async Task SweepAsync(TimeSpan age, CancellationToken cancellationToken)
    {
        var (removed, failures, last) = (0, 0, default(PendingArchive));
        try
        {
            while (failures < JournalSweep.MostFailures && await journal.GiveUpArchivesAsync(age, last, ArchivesAtOnce, cancellationToken) is { Count: > 0 } given)
            {
                foreach (var pending in given.TakeWhile(_ => failures < JournalSweep.MostFailures))
                {
                    var isRemoved = await TryRemoveAsync(pending, cancellationToken);
                    (removed, failures) = isRemoved ? (removed + 1, 0) : (removed, failures + 1);
                }

                last = given[^1];
            }
        }
        catch (PortException failure)
        {
            LogFailed(Logger, failure); // the next sweep goes on from here
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            LogStopped(Logger);
        }

        if (removed > 0) LogRemoved(Logger, removed);
    }

    /// <summary>One that cannot be removed is kept for the next sweep, and keeps no other from going.</summary>
    private async Task<bool> TryRemoveAsync(PendingArchive pending, CancellationToken cancellationToken)
    {
        try
        {
            await artifacts.DeleteAsync(pending.Key.Organization, pending.Sha256, cancellationToken);
            await journal.ForgetPendingArchiveAsync(pending, cancellationToken);
            return true;
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            LogNotRemoved(Logger, pending.Key, pending.Sha256, failure);
            return false;
        }
    }

    [LoggerMessage(EventId = 2341, Level = LogLevel.Information, Message = "Removed what was stored of {Archives} archives that were begun and not noted.")]
    private static partial void LogRemoved(ILogger logger, int archives);

    [LoggerMessage(EventId = 2342, Level = LogLevel.Warning, Message = "Archives that were begun and not noted could not be listed; tried again at the next sweep.")]
    private static partial void LogFailed(ILogger logger, Exception failure);

    [LoggerMessage(EventId = 2343, Level = LogLevel.Debug, Message = "Stopped while archives that were begun and not noted were removed.")]
    private static partial void LogStopped(ILogger logger);

    [LoggerMessage(EventId = 2344, Level = LogLevel.Error, Message = "What was stored of an archive of session {Session} that was not noted, the artifact {Sha256}, could not be removed; tried again at the next sweep.")]
    private static partial void LogNotRemoved(ILogger logger, SessionKey session, string sha256, Exception failure);
}
