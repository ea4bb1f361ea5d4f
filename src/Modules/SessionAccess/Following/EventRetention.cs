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
            while (await journal.ListGoneArchivesAsync(ArchivesAtOnce, cancellationToken) is { Count: > 0 } gone) await RemoveAsync(gone, cancellationToken);
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

    private async Task RemoveAsync(IReadOnlyList<EventArchive> gone, CancellationToken cancellationToken)
    {
        foreach (var archive in gone)
        {
            await artifacts.DeleteAsync(archive.Key.Organization, archive.Sha256, cancellationToken);
            await journal.ForgetArchiveAsync(archive, cancellationToken);
        }
    }

    [LoggerMessage(EventId = 2301, Level = LogLevel.Information, Message = "Removed the events of {Sessions} sessions older than {Days:F1} days.")]
    private static partial void LogRemoved(ILogger logger, int sessions, double days);

    [LoggerMessage(EventId = 2302, Level = LogLevel.Warning, Message = "Old events could not be removed; tried again at the next sweep.")]
    private static partial void LogFailed(ILogger logger, Exception failure);

    [LoggerMessage(EventId = 2303, Level = LogLevel.Debug, Message = "Stopped while old events were removed.")]
    private static partial void LogStopped(ILogger logger);
}
