using Coordinator.Ports;
using Coordinator.Ports.Record;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Coordinator.Modules.SessionAccess.Following;

/// <summary>
/// Every ten minutes: the text of sessions that have slept for <c>Sessions:CompactAfter</c> is merged, so that they are read faster and take
/// less room. A host of the release before cannot read what was merged, so a host merges nothing until it has run for as long: an update
/// that rolls over several hosts is over by then. Hosts that meet at a session do it once: what the second writes is not taken.
/// </summary>
internal sealed partial class EventCompaction(ISessionJournal journal, IRunHistory runs, IOptions<SessionAccessOptions> options, TimeProvider time, ILogger<EventCompaction> logger)
    : EventSweep(time, logger)
{
    /// <summary>A statement's worth, and what is held in memory of a session beside what <see cref="RecordMerge"/> waits with.</summary>
    private const int MostBytesAtOnce = 4 * 1024 * 1024;

    private const int MostRecordsAtOnce = 10_000;
    private const int SessionsAtOnce = 100;
    private const int RunsAtOnce = 200;

    /// <summary>What one sweep reads at most, about; the next goes on from there.</summary>
    private const long MostBytesOfSweep = 256L * 1024 * 1024;

    protected override TimeSpan? Age => options.Value.CompactAfter is var age && age > TimeSpan.Zero ? age : null;

    protected override TimeSpan FirstAfter => options.Value.CompactAfter;

    /// <summary>Merges what has slept for long enough by now, a session at a time.</summary>
    internal override async Task SweepAsync(TimeSpan age, CancellationToken cancellationToken)
    {
        var (sessions, bytes, failures) = (0, 0L, 0);
        try
        {
            var last = default(SessionKey);
            while (bytes < MostBytesOfSweep && failures < JournalSweep.MostFailures && await journal.ListUncompactedAsync(age, last, SessionsAtOnce, cancellationToken) is { Count: > 0 } keys)
            {
                foreach (var key in keys.TakeWhile(_ => bytes < MostBytesOfSweep && failures < JournalSweep.MostFailures))
                {
                    var (read, failed) = await TryAsync(key, cancellationToken);
                    bytes += read;
                    failures = failed ? failures + 1 : 0;
                    sessions += failed ? 0 : 1;
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

        if (sessions > 0) LogMerged(Logger, sessions, bytes);
    }

    /// <summary>
    /// One session, a part at a time, each whole or not at all; says how much of it was read, and whether the stores failed. One that cannot be
    /// merged stays as it is, and keeps no other from being done.
    /// </summary>
    private async Task<(long Bytes, bool Failed)> TryAsync(SessionKey key, CancellationToken cancellationToken)
    {
        var bytes = 0L;
        try
        {
            if (await journal.FindHeadAsync(key, cancellationToken) is not { Host: null, WakeAt: null } head) return (bytes, false);
            var merge = new RecordMerge(await UntouchedAsync(key, cancellationToken));
            var part = new Part(head);
            await foreach (var record in journal.ReadAsync(key, head.Compacted, cancellationToken))
            {
                bytes += record.Payload.Length;
                part.Add(merge.Add(record));
                if (part.IsFull && !await part.WriteAsync(journal, cancellationToken)) return (bytes, false);
            }

            part.Add(merge.Finish());
            await part.WriteAsync(journal, cancellationToken);
            return (bytes, false);
        }
        catch (PortException failure) when (failure.Kind == PortFailureKind.Corrupt)
        {
            LogUnreadable(Logger, key, failure); // this session's trouble alone
            return (bytes, false);
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            LogNotMerged(Logger, key, failure);
            return (bytes, true);
        }
    }

    /// <summary>The events of runs that earlier releases digested: merged, they would be another run to whoever checks.</summary>
    private async Task<List<EventRange>> UntouchedAsync(SessionKey key, CancellationToken cancellationToken)
    {
        var untouched = new List<EventRange>();
        var before = default(RunId?);
        while (await runs.ListAsync(key.Organization, key.Session, before, RunsAtOnce, cancellationToken) is { Count: > 0 } page)
        {
            untouched.AddRange(page.Where(stored => !stored.Run.MayBeMerged()).Select(stored => new EventRange(stored.Run.FirstSeq, stored.Run.LastSeq)));
            if (page.Count < RunsAtOnce) break;
            before = page[^1].Run.Id;
        }

        return untouched;
    }

    /// <summary>What is to be written at once.</summary>
    private sealed class Part(SessionHead head)
    {
        private readonly List<JournalRecord> changed = [];
        private SessionHead seen = head;
        private long through = head.Compacted;
        private long bytes;

        public bool IsFull => bytes >= MostBytesAtOnce || through - seen.Compacted >= MostRecordsAtOnce;

        public void Add(IReadOnlyList<JournalRecord> settled)
        {
            if (settled.Count == 0) return;
            through = settled[^1].Version;
            foreach (var record in settled.Where(record => record.Codec != RecordEvents.JsonCodec))
            {
                changed.Add(record);
                bytes += record.Payload.Length;
            }
        }

        public async Task<bool> WriteAsync(ISessionJournal journal, CancellationToken cancellationToken)
        {
            if (through == seen.Compacted || !await journal.CompactAsync(new(seen, through, changed), cancellationToken)) return false;
            (seen, bytes) = (seen with { Compacted = through }, 0);
            changed.Clear();
            return true;
        }
    }

    [LoggerMessage(EventId = 2311, Level = LogLevel.Information, Message = "Went through {Sessions} sessions that sleep, {Bytes} bytes of records, and merged their text.")]
    private static partial void LogMerged(ILogger logger, int sessions, long bytes);

    [LoggerMessage(EventId = 2312, Level = LogLevel.Warning, Message = "Sessions to merge could not be listed; tried again at the next sweep.")]
    private static partial void LogFailed(ILogger logger, Exception failure);

    [LoggerMessage(EventId = 2313, Level = LogLevel.Debug, Message = "Stopped while text was merged.")]
    private static partial void LogStopped(ILogger logger);

    [LoggerMessage(EventId = 2314, Level = LogLevel.Error, Message = "The text of session {Session} cannot be merged: its journal is not what was written.")]
    private static partial void LogUnreadable(ILogger logger, SessionKey session, Exception failure);

    [LoggerMessage(EventId = 2315, Level = LogLevel.Error, Message = "The text of session {Session} could not be merged and stays as it is; tried again at the next sweep.")]
    private static partial void LogNotMerged(ILogger logger, SessionKey session, Exception failure);
}
