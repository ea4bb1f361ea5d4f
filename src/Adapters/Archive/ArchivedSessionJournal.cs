using System.Runtime.CompilerServices;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;

namespace Coordinator.Adapters.Archive;

/// <summary>
/// Another journal, whose archived events are told as if they stood in its records still: the same records, in order, to the byte of their
/// events. It is the one place where archives are read; what is read has been checked as a whole before any of it is told. A
/// session without archives costs nothing more.
/// </summary>
internal sealed class ArchivedSessionJournal(ISessionJournal journal, IArtifactStore artifacts, TimeProvider time) : ISessionJournal, IAsyncDisposable
{
    /// <summary>How long an artifact may take to be read.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The journal's records, until one of them has lost its events; then what archives hold of them, and the records again. What no archive
    /// holds is gone and told without events, or passed over, as <see cref="RecordEvents.ReadAfter"/> finds out, unless it went while it was read:
    /// whoever had the events before it would take what follows for the next.
    /// </summary>
    public async IAsyncEnumerable<JournalRecord> ReadEventsAsync(SessionKey key, long afterSeq, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (last, hasTold, areGone) = (Math.Max(afterSeq, 0), false, false);
        for (var archive = default(EventArchive); ;)
        {
            await foreach (var record in journal.ReadEventsAsync(key, last, cancellationToken))
            {
                if (!RecordEvents.AreGone(record)) (hasTold, areGone) = (true, false);
                else if (!areGone && (archive = await journal.FindArchiveAsync(key, last, cancellationToken)) is not null) break;
                else areGone = hasTold ? throw Removed(key) : true;
                last = record.LastSeq;
                yield return record;
            }

            if (archive is null) yield break;
            for (; archive is not null; archive = await journal.FindArchiveAsync(key, last, cancellationToken))
            {
                if (hasTold && archive.FirstSeq > last + 1) throw Removed(key);
                foreach (var record in await ReadAsync(archive, cancellationToken))
                    if (record.LastSeq > last) yield return record;
                (last, hasTold) = (archive.LastSeq, true);
            }
        }
    }

    public ValueTask<JournalLease?> OpenAsync(SessionKey key, HostId host, bool create, CancellationToken cancellationToken) => journal.OpenAsync(key, host, create, cancellationToken);

    public ValueTask<bool> AppendAsync(JournalLease lease, JournalAppend append, CancellationToken cancellationToken) => journal.AppendAsync(lease, append, cancellationToken);

    public ValueTask ReleaseAsync(JournalLease lease, CancellationToken cancellationToken) => journal.ReleaseAsync(lease, cancellationToken);

    public ValueTask HandOverAsync(JournalLease lease, CancellationToken cancellationToken) => journal.HandOverAsync(lease, cancellationToken);

    public IAsyncEnumerable<JournalRecord> ReadAsync(SessionKey key, long afterVersion, CancellationToken cancellationToken) => journal.ReadAsync(key, afterVersion, cancellationToken);

    public ValueTask<SessionHead?> FindHeadAsync(SessionKey key, CancellationToken cancellationToken) => journal.FindHeadAsync(key, cancellationToken);

    public ValueTask<IReadOnlyList<SessionHead>> ListHeadsAsync(OrganizationId organization, SessionId? before, int limit, CancellationToken cancellationToken) =>
        journal.ListHeadsAsync(organization, before, limit, cancellationToken);

    public ValueTask<string?> FindEnvironmentAsync(OrganizationId organization, string repository, CancellationToken cancellationToken) =>
        journal.FindEnvironmentAsync(organization, repository, cancellationToken);

    public ValueTask SaveSnapshotAsync(JournalLease lease, JournalSnapshot snapshot, CancellationToken cancellationToken) => journal.SaveSnapshotAsync(lease, snapshot, cancellationToken);

    public ValueTask<JournalSnapshot?> FindSnapshotAsync(SessionKey key, CancellationToken cancellationToken) => journal.FindSnapshotAsync(key, cancellationToken);

    public ValueTask<int> ExpireEventsAsync(TimeSpan age, CancellationToken cancellationToken) => journal.ExpireEventsAsync(age, cancellationToken);

    public ValueTask<IReadOnlyList<SessionKey>> ListUncompactedAsync(TimeSpan age, SessionKey after, int limit, CancellationToken cancellationToken) =>
        journal.ListUncompactedAsync(age, after, limit, cancellationToken);

    public ValueTask<bool> CompactAsync(JournalCompaction compaction, CancellationToken cancellationToken) => journal.CompactAsync(compaction, cancellationToken);

    public ValueTask<IReadOnlyList<SessionKey>> ListUnarchivedAsync(TimeSpan age, SessionKey after, int limit, CancellationToken cancellationToken) =>
        journal.ListUnarchivedAsync(age, after, limit, cancellationToken);

    public ValueTask AnnounceArchiveAsync(PendingArchive pending, CancellationToken cancellationToken) => journal.AnnounceArchiveAsync(pending, cancellationToken);

    public ValueTask<bool> ArchiveAsync(SessionHead seen, EventArchive archive, CancellationToken cancellationToken) => journal.ArchiveAsync(seen, archive, cancellationToken);

    public ValueTask<EventArchive?> FindArchiveAsync(SessionKey key, long afterSeq, CancellationToken cancellationToken) => journal.FindArchiveAsync(key, afterSeq, cancellationToken);

    public ValueTask<IReadOnlyList<PendingArchive>> GiveUpArchivesAsync(TimeSpan age, PendingArchive? after, int limit, CancellationToken cancellationToken) => journal.GiveUpArchivesAsync(age, after, limit, cancellationToken);

    public ValueTask ForgetPendingArchiveAsync(PendingArchive pending, CancellationToken cancellationToken) => journal.ForgetPendingArchiveAsync(pending, cancellationToken);

    public ValueTask<IReadOnlyList<EventArchive>> ListGoneArchivesAsync(EventArchive? after, int limit, CancellationToken cancellationToken) => journal.ListGoneArchivesAsync(after, limit, cancellationToken);

    public ValueTask ForgetArchiveAsync(EventArchive archive, CancellationToken cancellationToken) => journal.ForgetArchiveAsync(archive, cancellationToken);

    public ValueTask DisposeAsync() => journal is IAsyncDisposable behind ? behind.DisposeAsync() : ValueTask.CompletedTask;

    private static PortException Removed(SessionKey key) => RecordEvents.Removed($"session {key}");

    private async ValueTask<IReadOnlyList<JournalRecord>> ReadAsync(EventArchive archive, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return await ArchiveReader.ReadAsync(artifacts, archive, either.Token);
        }
        catch (OperationCanceledException late) when (!cancellationToken.IsCancellationRequested)
        {
            throw new PortException(PortFailureKind.Timeout, $"An archive of session {archive.Key} was not read within {Patience}.", inner: late);
        }
    }
}
