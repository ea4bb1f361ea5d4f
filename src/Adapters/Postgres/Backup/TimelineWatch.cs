using Coordinator.Ports.Session;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Coordinator.Adapters.Postgres.Backup;

/// <summary>
/// Looks every few seconds whether the database that the host serves from was promoted or restored under it, or put back to an earlier state of its disk: the embedded server too, which
/// has no other to take over from it, is started again on whatever its folder then holds.
/// </summary>
internal sealed partial class TimelineWatch(
    DatabaseServer server,
    SystemDataSource system,
    IDatabaseStarter starter,
    IEnumerable<IKeepsSessions> keepers,
    TimeProvider time,
    ILogger<TimelineWatch> logger) : BackgroundService
{
    internal static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private DatabaseSight? last;
    private DatabasePlace? left;

    /// <summary>
    /// Set from the look that finds the database behind what was seen until that is noted: what is written meanwhile may bring the log beyond it.
    /// </summary>
    private int? lostAfter;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await starter.WhenReadyAsync(stoppingToken);
            using var timer = new PeriodicTimer(Interval, time);
            do await LookAsync(stoppingToken);
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            LogStopped();
        }
        catch (PostgresException refused) when (DatabaseTimeline.IsUntold(refused))
        {
            LogUntold(refused.MessageText);
        }
    }

    /// <summary>One look, and what follows from it.</summary>
    internal async Task LookAsync(CancellationToken cancellationToken)
    {
        try
        {
            var sight = await DatabaseTimeline.FindAsync(system.Source, cancellationToken);
            if (last is { } before && sight.IsBehind(before)) lostAfter ??= before.Said;
            if (lostAfter is null && last is { } known && sight.IsAsAt(known))
            {
                last = sight;
                return;
            }

            await using var source = server.CreateOwner();
            await using var owner = await source.OpenConnectionAsync(cancellationToken);
            if (await TryNoteAsync(owner, sight.Place, cancellationToken) is not { } note) return;
            if (note.WentBack) LogWentBack(logger);
            // Whoever noted it first, another host or this one in a commit whose answer was lost: what is in memory here is older.
            if (note.WentBack || last is not null || left is not null) await BeginAnewAsync(cancellationToken);
            (last, left, lostAfter) = (sight with { Said = note.Said }, null, null);
        }
        catch (Exception failure) when (DatabaseFailure.IsOne(failure) && !DatabaseTimeline.IsUntold(failure))
        {
            LogUnseen(failure); // the next look is soon
        }
        catch (Exception failure) when (!DatabaseTimeline.IsUntold(failure) && (failure is not OperationCanceledException || !cancellationToken.IsCancellationRequested))
        {
            LogFailed(failure);
        }
    }

    /// <summary>
    /// Null when somebody was in the way: the next look tries again. What is in memory here is older then already, so whoever follows it is sent, once, to what the
    /// database has.
    /// </summary>
    private async Task<DatabaseNote?> TryNoteAsync(NpgsqlConnection owner, DatabasePlace place, CancellationToken cancellationToken)
    {
        try
        {
            return await DatabaseTimeline.NoteAsync(owner, lostAfter, time, logger, cancellationToken);
        }
        catch (PostgresException held) when (DatabaseFailure.IsOfContention(held))
        {
            LogUnseen(held);
            if (place != left) await BeginAnewAsync(cancellationToken);
            left = place;
            return null;
        }
    }

    private async Task BeginAnewAsync(CancellationToken cancellationToken)
    {
        foreach (var keeper in keepers) await keeper.BeginAnewAsync(cancellationToken);
    }

    /// <summary>Tells the operator.</summary>
    [LoggerMessage(2191, LogLevel.Warning, "The database was promoted or restored, and may lack what it acknowledged before: every session is another incarnation now, and clients load anew.")]
    public static partial void LogWentBack(ILogger logger);

    /// <inheritdoc cref="LogWentBack"/>
    [LoggerMessage(2192, LogLevel.Warning, "The database was promoted or restored, and cannot be made to say so while the server processes {Processes} hold tables of it; tried again soon. Until then clients may be shown something else in the place of what is gone: end those transactions, such as a backup's.")]
    public static partial void LogHeld(ILogger logger, string processes);

    [LoggerMessage(2193, LogLevel.Warning, "The server does not say whether it was promoted or restored ({Why}): after a fail-over that may have lost something, stop every host and run 'coordinator restored'.")]
    private partial void LogUntold(string why);

    [LoggerMessage(2194, LogLevel.Debug, "Whether the database was promoted or restored could not be seen; looked at again soon.")]
    private partial void LogUnseen(Exception failure);

    [LoggerMessage(2195, LogLevel.Error, "A look whether the database was promoted or restored ended as nobody foresaw; the next follows.")]
    private partial void LogFailed(Exception failure);

    [LoggerMessage(2196, LogLevel.Debug, "Stopped looking whether the database was promoted or restored.")]
    private partial void LogStopped();
}
