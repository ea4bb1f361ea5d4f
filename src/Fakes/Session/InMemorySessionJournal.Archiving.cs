using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Fakes;

/// <content>Events that leave the records.</content>
public sealed partial class InMemorySessionJournal
{
    public ValueTask<IReadOnlyList<SessionKey>> ListUnarchivedAsync(TimeSpan age, SessionKey after, int limit, CancellationToken cancellationToken) =>
        RunAsync<IReadOnlyList<SessionKey>>(
            () => [.. Resting(age)
                .Where(session => session.Value.Emptied < session.Value.Seq)
                .Where(session => session.Value.Ordinal > OrdinalOf(after))
                .OrderBy(session => session.Value.Ordinal)
                .Take(limit)
                .Select(session => session.Key)],
            cancellationToken);

    public async ValueTask AnnounceArchiveAsync(PendingArchive pending, CancellationToken cancellationToken) => await RunAsync(() => store.Pending.TryAdd(pending, new(store.Now, IsGivenUp: false)), cancellationToken);

    public ValueTask<bool> ArchiveAsync(SessionHead seen, EventArchive archive, CancellationToken cancellationToken) => RunAsync(() => Archive(seen, archive), cancellationToken);

    public ValueTask<EventArchive?> FindArchiveAsync(SessionKey key, long afterSeq, CancellationToken cancellationToken) =>
        RunAsync(
            () => store.Sessions.TryGetValue(key, out var entry) ? entry.Archives.FirstOrDefault(archive => archive.LastSeq > Math.Max(afterSeq, entry.Floor)) : null,
            cancellationToken);

    public ValueTask<IReadOnlyList<PendingArchive>> GiveUpArchivesAsync(TimeSpan age, PendingArchive? after, int limit, CancellationToken cancellationToken) =>
        RunAsync<IReadOnlyList<PendingArchive>>(() => GiveUp(age, after, limit), cancellationToken);

    public async ValueTask ForgetPendingArchiveAsync(PendingArchive pending, CancellationToken cancellationToken) => await RunAsync(() => store.Pending.Remove(pending), cancellationToken);

    public ValueTask<IReadOnlyList<EventArchive>> ListGoneArchivesAsync(EventArchive? after, int limit, CancellationToken cancellationToken) =>
        RunAsync<IReadOnlyList<EventArchive>>(
            () => [.. store.Sessions.Values
                .SelectMany(entry => entry.Archives.Where(archive => archive.LastSeq <= entry.Floor))
                .Select(archive => (Archive: archive, Place: (OrdinalOf(archive.Key), archive.LastSeq)))
                .Where(gone => after is null || gone.Place.CompareTo((OrdinalOf(after.Key), after.LastSeq)) > 0)
                .OrderBy(gone => gone.Place)
                .Take(limit)
                .Select(gone => gone.Archive)],
            cancellationToken);

    public async ValueTask ForgetArchiveAsync(EventArchive archive, CancellationToken cancellationToken) => await RunAsync(
        () => store.Sessions.TryGetValue(archive.Key, out var entry) && archive.LastSeq <= entry.Floor && entry.Archives.Remove(archive),
        cancellationToken);

    private bool Archive(SessionHead seen, EventArchive archive)
    {
        if (!store.Sessions.TryGetValue(seen.Key, out var entry) || !IsAsSeen(entry, seen) || store.Pending.GetValueOrDefault(archive.Pending) is not { IsGivenUp: false }) return false;
        var last = entry.Records.FindLastIndex(record => record.LastSeq >= record.FirstSeq && record.LastSeq <= archive.LastSeq);
        if (archive.Key != seen.Key || archive.FirstSeq != seen.Emptied + 1 || last < 0 || entry.Records[last].LastSeq != archive.LastSeq)
            throw new PortException(PortFailureKind.Rejected, $"An archive of the events {archive.FirstSeq} to {archive.LastSeq} is none of what stands in the records of session {seen.Key}.");
        for (var i = 0; i <= last; i++)
        {
            if (entry.Records[i].FirstSeq >= archive.FirstSeq) entry.Records[i] = WithoutEvents(entry.Records[i]);
        }

        store.Pending.Remove(archive.Pending);
        entry.Archives.Add(archive);
        entry.Archived = archive.LastSeq;
        return true;
    }

    private List<PendingArchive> GiveUp(TimeSpan age, PendingArchive? after, int limit)
    {
        List<PendingArchive> given = [.. store.Pending
            .Where(pending => pending.Value.IsGivenUp || pending.Value.At < store.Now - age)
            .Select(pending => pending.Key)
            .Where(pending => store.Sessions.GetValueOrDefault(pending.Key)?.Archives.Exists(archive => archive.Sha256 == pending.Sha256) != true)
            .Where(pending => after is null || Place(pending).CompareTo(Place(after)) > 0)
            .OrderBy(Place)
            .Take(limit)];
        foreach (var pending in given) store.Pending[pending] = store.Pending[pending] with { IsGivenUp = true };
        return given;
    }

    private static (Guid, Guid, string) Place(PendingArchive pending) => (pending.Key.Organization.Value, pending.Key.Session.Value, pending.Sha256);
}
