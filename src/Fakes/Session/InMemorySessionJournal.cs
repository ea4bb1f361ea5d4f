using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Fakes;

/// <summary>
/// The journal in memory, with the semantics of the real one. Faults: <see cref="Faults"/> (unavailable before, answer
/// lost after the effect), <see cref="SlowBy"/>, <see cref="Rejects"/>, and <see cref="InMemoryJournalStore.Fence"/>.
/// </summary>
public sealed partial class InMemorySessionJournal(InMemoryJournalStore store) : ISessionJournal
{
    private const int Incarnation = 1;

    /// <summary>As whom a session was opened through it last.</summary>
    private HostId? self;

    /// <summary>A journal with a store of its own.</summary>
    public InMemorySessionJournal(TimeProvider time)
        : this(new InMemoryJournalStore(time))
    {
    }

    public FaultSwitch Faults { get; } = new();

    /// <summary>How long every call takes, by the store's clock.</summary>
    public TimeSpan SlowBy { get; set; }

    /// <summary>True: of a snapshot only the first half is read back.</summary>
    public bool TearsSnapshots { get; set; }

    /// <summary>How many snapshots were read back torn.</summary>
    public int SnapshotsTorn { get; private set; }

    /// <summary>Appends whose data the database would not take.</summary>
    public Func<JournalAppend, bool> Rejects { get; set; } = _ => false;

    public ValueTask<JournalLease?> OpenAsync(SessionKey key, HostId host, bool create, CancellationToken cancellationToken) =>
        RunAsync(() => Open(key, host, create), cancellationToken);

    public ValueTask<bool> AppendAsync(JournalLease lease, JournalAppend append, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(append.EventCount);
        return RunAsync(() => Append(lease, append), cancellationToken);
    }

    public async ValueTask ReleaseAsync(JournalLease lease, CancellationToken cancellationToken) => await RunAsync(() => Release(lease), cancellationToken);

    public async ValueTask HandOverAsync(JournalLease lease, CancellationToken cancellationToken) => await RunAsync(() => HandOver(lease), cancellationToken);

    public IAsyncEnumerable<JournalRecord> ReadAsync(SessionKey key, long afterVersion, CancellationToken cancellationToken) =>
        StreamAsync(key, record => record.Version > afterVersion, cancellationToken);

    public IAsyncEnumerable<JournalRecord> ReadEventsAsync(SessionKey key, long afterSeq, CancellationToken cancellationToken) =>
        StreamAsync(key, record => record.LastSeq > afterSeq && record.LastSeq >= record.FirstSeq && record.Codec != RecordEvents.CoveredCodec, cancellationToken);

    public ValueTask<SessionHead?> FindHeadAsync(SessionKey key, CancellationToken cancellationToken) =>
        RunAsync(() => store.Sessions.TryGetValue(key, out var entry) && entry.Version > 0 ? Head(key, entry) : null, cancellationToken);

    public ValueTask<IReadOnlyList<SessionHead>> ListHeadsAsync(OrganizationId organization, SessionId? before, int limit, CancellationToken cancellationToken) =>
        RunAsync<IReadOnlyList<SessionHead>>(
            () => [.. store.Sessions
                .Where(session => session.Key.Organization == organization && session.Value.Version > 0)
                .Where(session => before is null || session.Value.Ordinal < OrdinalOf(new(organization, before.Value)))
                .OrderByDescending(session => session.Value.Ordinal)
                .Take(limit)
                .Select(session => Head(session.Key, session.Value))],
            cancellationToken);

    public ValueTask<string?> FindEnvironmentAsync(OrganizationId organization, string repository, CancellationToken cancellationToken) =>
        RunAsync(
            () => store.Sessions
                .Where(session => session.Key.Organization == organization && session.Value.Environment?.Repository == repository)
                .OrderByDescending(session => session.Value.Ordinal)
                .Select(session => session.Value.Environment?.Json)
                .FirstOrDefault(),
            cancellationToken);

    public async ValueTask SaveSnapshotAsync(JournalLease lease, JournalSnapshot snapshot, CancellationToken cancellationToken) =>
        await RunAsync(() => Save(lease, snapshot), cancellationToken);

    public ValueTask<JournalSnapshot?> FindSnapshotAsync(SessionKey key, CancellationToken cancellationToken) =>
        RunAsync(() => Torn(store.Sessions.GetValueOrDefault(key)?.Snapshot), cancellationToken);

    public ValueTask<int> ExpireEventsAsync(TimeSpan age, CancellationToken cancellationToken) => RunAsync(
        () =>
        {
            var old = Resting(age).Select(session => session.Value).Where(entry => entry.Floor < entry.Seq).ToList();
            foreach (var entry in old)
            {
                for (var i = 0; i < entry.Records.Count; i++) entry.Records[i] = WithoutEvents(entry.Records[i]);
                entry.Floor = entry.Seq;
            }

            return old.Count;
        },
        cancellationToken);

    public ValueTask<IReadOnlyList<SessionKey>> ListUncompactedAsync(TimeSpan age, SessionKey after, int limit, CancellationToken cancellationToken) =>
        RunAsync<IReadOnlyList<SessionKey>>(
            () => [.. Resting(age)
                .Where(session => session.Value.Compacted < session.Value.Version && session.Value.Emptied < session.Value.Seq)
                .Where(session => session.Value.Ordinal > OrdinalOf(after))
                .OrderBy(session => session.Value.Ordinal)
                .Take(limit)
                .Select(session => session.Key)],
            cancellationToken);

    public ValueTask<bool> CompactAsync(JournalCompaction compaction, CancellationToken cancellationToken) => RunAsync(() => Compact(compaction), cancellationToken);

    /// <summary>Those that sleep for that long, once what hosts had open that are none any more is freed.</summary>
    private List<KeyValuePair<SessionKey, InMemoryJournalStore.Entry>> Resting(TimeSpan age)
    {
        var old = store.Sessions.Where(session => session.Value.UpdatedAt < store.Now - age).ToList();
        foreach (var (_, entry) in old)
        {
            if (entry is not { Host: { } host, WakeAt: null } || (store.LivesAsHost(host) ?? host == self)) continue;
            store.Bury(host);
            (entry.Host, entry.Epoch) = (null, entry.Epoch + 1);
        }

        return old.FindAll(session => session.Value.Sleeps);
    }

    /// <summary>Nobody has it open or waits to wake it, and what stands in its records is what stood there.</summary>
    private static bool IsAsSeen(InMemoryJournalStore.Entry entry, SessionHead seen) =>
        entry.Sleeps && (entry.Epoch, entry.Floor, entry.Compacted, entry.Archived) == (seen.Epoch, seen.Floor, seen.Compacted, seen.Archived);

    private bool Compact(JournalCompaction compaction)
    {
        var seen = compaction.Seen;
        if (!store.Sessions.TryGetValue(seen.Key, out var entry) || !IsAsSeen(entry, seen)) return false;
        foreach (var record in compaction.Records)
        {
            var at = (int)record.Version - 1;
            entry.Records[at] = entry.Records[at] with { Codec = record.Codec, Payload = record.Payload.ToArray() };
        }

        entry.Compacted = compaction.Through;
        return true;
    }

    private static JournalRecord WithoutEvents(JournalRecord record)
    {
        if (record.LastSeq < record.FirstSeq) return record;
        using var payload = JsonDocument.Parse(record.Payload);
        return record with { Payload = Encoding.UTF8.GetBytes($"{{\"facts\":{payload.RootElement.GetProperty("facts").GetRawText()},\"events\":null}}") };
    }

    private JournalSnapshot? Torn(JournalSnapshot? snapshot)
    {
        if (snapshot is null || !TearsSnapshots) return snapshot;
        SnapshotsTorn++;
        return snapshot with { State = snapshot.State[..(snapshot.State.Length / 2)] };
    }

    private JournalLease? Open(SessionKey key, HostId host, bool create)
    {
        if (store.IsFoundDead(host)) throw new PortException(PortFailureKind.Fenced, $"Host {host} is none any more; it must register anew.");
        if (!store.Sessions.TryGetValue(key, out var entry))
        {
            if (!create) return null;
            store.Sessions.Add(key, entry = new() { Ordinal = store.Sessions.Count });
        }

        if (!create && entry.Version == 0) return null;
        if (entry.Host is { } owner && owner != host && store.LivesAsHost(owner) is true) throw new PortException(PortFailureKind.Fenced, $"Session {key} is another host's by now.");
        entry.Epoch++;
        entry.Host = self = host;
        return new(key, host, entry.Epoch, entry.Version, entry.Seq, Incarnation);
    }

    private bool Append(JournalLease lease, JournalAppend append)
    {
        if (Rejects(append)) throw new PortException(PortFailureKind.Rejected, "The fake was told to refuse this append's data.");
        if (!store.Sessions.TryGetValue(lease.Key, out var entry) || entry.Epoch != lease.Epoch || entry.Version != append.ExpectedVersion) return false;

        var wakeAt = append.WakeAt is { } at ? InMemoryJournalStore.Stored(at) : (DateTimeOffset?)null;
        if (wakeAt != entry.WakeAt) entry.HiddenUntil = null;
        entry.Records.Add(new(
            entry.Version + 1, entry.Seq + 1, entry.Seq + append.EventCount, JournalRecord.CurrentSchema, 0, append.Payload.ToArray(), InMemoryJournalStore.Stored(append.At)));
        entry.Seq += append.EventCount;
        (entry.WakeAt, entry.UpdatedAt) = (wakeAt, store.Now);
        if (append.View is { } view) entry.View = view.ToArray();
        entry.Environment = append.Environment ?? entry.Environment;
        return true;
    }

    private bool Release(JournalLease lease)
    {
        if (!store.Sessions.TryGetValue(lease.Key, out var entry) || entry.Epoch != lease.Epoch) return false;
        entry.Epoch++;
        entry.Host = null;
        return true;
    }

    private bool HandOver(JournalLease lease)
    {
        if (!Release(lease)) return false;
        var entry = store.Sessions[lease.Key];
        if (entry.WakeAt is null || entry.WakeAt > store.Now) entry.WakeAt = store.Now;
        entry.HiddenUntil = null;
        return true;
    }

    private bool Save(JournalLease lease, JournalSnapshot snapshot)
    {
        if (!store.Sessions.TryGetValue(lease.Key, out var entry) || entry.Epoch != lease.Epoch) throw new PortException(PortFailureKind.Fenced, $"Session {lease.Key} was opened anew: this lease's snapshot is not taken.");
        if (snapshot.Version > entry.Version) throw new PortException(PortFailureKind.Rejected, $"A snapshot at version {snapshot.Version} is above the head of session {lease.Key}, which is at {entry.Version}.");
        if (entry.Snapshot is { } kept && kept.Version > snapshot.Version) return false;
        entry.Snapshot = snapshot with { State = snapshot.State.ToArray() };
        return true;
    }

    private async IAsyncEnumerable<JournalRecord> StreamAsync(SessionKey key, Func<JournalRecord, bool> wanted, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var records = await RunAsync(() => store.Sessions.GetValueOrDefault(key)?.Records.Where(wanted).ToList() ?? [], cancellationToken);
        foreach (var record in records)
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return record;
        }
    }

    private async ValueTask<T> RunAsync<T>(Func<T> effect, CancellationToken cancellationToken)
    {
        if (SlowBy > TimeSpan.Zero) await Task.Delay(SlowBy, store.Time, cancellationToken);
        return await Faults.Run(
            () =>
            {
                lock (store.Gate) return effect();
            },
            cancellationToken);
    }

    private static SessionHead Head(SessionKey key, InMemoryJournalStore.Entry entry) =>
        new(key, entry.Host, entry.Epoch, entry.Version, entry.Seq, Incarnation, entry.WakeAt, entry.View) { Floor = entry.Floor, Compacted = entry.Compacted, Archived = entry.Archived };

    /// <summary>Nothing was created before a session that is not there.</summary>
    private int OrdinalOf(SessionKey key) => store.Sessions.GetValueOrDefault(key)?.Ordinal ?? -1;
}
