using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Coordinator.Modules.SessionAccess.Following;

/// <summary>
/// Every ten minutes, where <c>Sessions:ArchiveEventsAfter</c> says for how long a session must have slept: its events are stored as artifacts, a
/// part at a time, and leave the journal's records once the part was read back. No transaction is over both stores: what fails between the two
/// leaves the events where they are, and the next sweep stores them anew. What was stored is announced before, and cleared away (<see cref="ArchiveClearing"/>).
/// </summary>
internal sealed partial class EventArchiving(ISessionJournal journal, IArtifactStore artifacts, IOptions<SessionAccessOptions> options, TimeProvider time, ILogger<EventArchiving> logger) : EventSweep(time, logger)
{
    /// <summary>How long one part may take to be stored and read back.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private const int SessionsAtOnce = 100;

    protected override TimeSpan? Age => options.Value.ArchiveEventsAfter;

    /// <summary>A host of the release before takes an archived record for one without events: an update that rolls is over by then.</summary>
    protected override TimeSpan FirstAfter => TimeSpan.FromHours(1);

    /// <summary>Archives what has slept for long enough by now, a session at a time.</summary>
    internal override async Task SweepAsync(TimeSpan age, CancellationToken cancellationToken)
    {
        var (sessions, bytes, failures) = (0, 0L, 0);
        try
        {
            var last = default(SessionKey);
            while (failures < JournalSweep.MostFailures && await journal.ListUnarchivedAsync(age, last, SessionsAtOnce, cancellationToken) is { Count: > 0 } keys)
            {
                foreach (var key in keys.TakeWhile(_ => failures < JournalSweep.MostFailures))
                {
                    if (await TryAsync(key, cancellationToken) is not { } stored)
                    {
                        failures++;
                        continue;
                    }

                    failures = 0;
                    sessions += stored > 0 ? 1 : 0;
                    bytes += stored;
                }

                last = keys[^1];
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

        if (sessions > 0) LogArchived(Logger, sessions, bytes);
    }

    /// <summary>One session; one that cannot be archived keeps its events, and no other from being done. Null: the stores failed.</summary>
    private async Task<long?> TryAsync(SessionKey key, CancellationToken cancellationToken)
    {
        try
        {
            return await ArchiveAsync(key, cancellationToken);
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            LogNotArchived(Logger, key, failure);
            return failure is PortException { Kind: PortFailureKind.Corrupt } ? 0 : null; // a record that is damaged is this session's trouble alone
        }
    }

    /// <summary>A part at a time, each whole or not at all; returns how many bytes were stored.</summary>
    private async Task<long> ArchiveAsync(SessionKey key, CancellationToken cancellationToken)
    {
        if (await journal.FindHeadAsync(key, cancellationToken) is not { Host: null, WakeAt: null } seen) return 0;
        var (stored, writer) = (0L, NewWriter(key, seen.Emptied + 1));
        await foreach (var record in journal.ReadEventsAsync(key, seen.Emptied, cancellationToken))
        {
            if (RecordEvents.AreGone(record)) return stored; // since the head was read
            writer.Add(record);
            if (!writer.IsFull) continue;
            if (await MoveAsync(seen, writer, cancellationToken) is not { } archive) return stored;
            (stored, seen) = (stored + archive.Size, seen with { Archived = archive.LastSeq });
            writer = NewWriter(key, archive.LastSeq + 1);
        }

        return writer.IsEmpty || await MoveAsync(seen, writer, cancellationToken) is not { } rest ? stored : stored + rest.Size;
    }

    private ArchiveWriter NewWriter(SessionKey key, long firstSeq) => new(key, firstSeq, PrefixedId.NewValue(Time));

    /// <summary>Stores a part that was announced, reads it back, and only then has the journal let go of it. Null: the session is not as it was read.</summary>
    private async Task<EventArchive?> MoveAsync(SessionHead seen, ArchiveWriter writer, CancellationToken cancellationToken)
    {
        var (archive, blob) = writer.Finish();
        await journal.AnnounceArchiveAsync(archive.Pending, cancellationToken);
        using var limit = new CancellationTokenSource(Patience, Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await StoreAsync(archive, blob, either.Token);
        }
        catch (OperationCanceledException late) when (!cancellationToken.IsCancellationRequested)
        {
            throw new PortException(PortFailureKind.Timeout, $"An archive was not stored within {Patience}.", inner: late);
        }

        if (await journal.ArchiveAsync(seen, archive, cancellationToken)) return archive;
        await RemoveAsync(archive.Pending, cancellationToken);
        return null;
    }

    /// <summary>The blob is this writing's own, and the journal has said that it names it nowhere: it goes at once. Where nobody says so, <see cref="ArchiveClearing"/> removes it.</summary>
    private async Task RemoveAsync(PendingArchive pending, CancellationToken cancellationToken)
    {
        await artifacts.DeleteAsync(pending.Key.Organization, pending.Sha256, cancellationToken);
        await journal.ForgetPendingArchiveAsync(pending, cancellationToken);
    }

    private async Task StoreAsync(EventArchive archive, ReadOnlyMemory<byte> blob, CancellationToken cancellationToken)
    {
        await using var content = new MemoryStream(blob.ToArray(), writable: false);
        var put = await artifacts.PutAsync(archive.Key.Organization, archive.Sha256, content, archive.Size, cancellationToken);
        if (!put.IsSuccess) throw new PortException(PortFailureKind.Rejected, $"The artifact store did not take an archive: {put.Problem.Code}.");
        try
        {
            await ArchiveReader.ReadAsync(artifacts, archive, cancellationToken);
        }
        catch (PortException failure) when (failure.Kind == PortFailureKind.Corrupt)
        {
            throw new PortException(PortFailureKind.Unavailable, "The artifact store did not give back what it was given.", inner: failure);
        }
    }

    [LoggerMessage(EventId = 2321, Level = LogLevel.Information, Message = "Archived events of {Sessions} sessions that sleep, as {Bytes} bytes of artifacts.")]
    private static partial void LogArchived(ILogger logger, int sessions, long bytes);

    [LoggerMessage(EventId = 2322, Level = LogLevel.Warning, Message = "Sessions to archive could not be listed; tried again at the next sweep.")]
    private static partial void LogFailed(ILogger logger, Exception failure);

    [LoggerMessage(EventId = 2323, Level = LogLevel.Debug, Message = "Stopped while events were archived.")]
    private static partial void LogStopped(ILogger logger);

    [LoggerMessage(EventId = 2324, Level = LogLevel.Error, Message = "The events of session {Session} could not be archived and stay where they are; tried again at the next sweep.")]
    private static partial void LogNotArchived(ILogger logger, SessionKey session, Exception failure);
}
