using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Fakes;

/// <summary>
/// What the journal and the alarm clock of one imagined database share. Outlives both, so that a test can "restart the
/// host" by making new ones over the same store. <paramref name="time"/> is the database's clock.
/// </summary>
public sealed class InMemoryJournalStore(TimeProvider time)
{
    internal Lock Gate { get; } = new();

    internal Dictionary<SessionKey, Entry> Sessions { get; } = [];

    /// <summary>Blobs that are about to become archives.</summary>
    internal Dictionary<PendingArchive, PendingEntry> Pending { get; } = [];

    /// <summary>The database's time, with the microseconds that PostgreSQL keeps.</summary>
    internal DateTimeOffset Now => Stored(time.GetUtcNow());

    internal TimeProvider Time => time;

    /// <summary>Whether a host lives, as the registry over this store says; null when there is none, or it knows no such host. Asked under <see cref="Gate"/>.</summary>
    internal Func<HostId, bool?> LivesAsHost { get; set; } = static _ => null;

    /// <summary>Whether a host was found dead by a peer, or has left, as the registry over this store says. Asked under <see cref="Gate"/>.</summary>
    internal Func<HostId, bool> IsFoundDead { get; set; } = static _ => false;

    /// <summary>Finds a host dead that does not live, in the registry over this store. Asked under <see cref="Gate"/>.</summary>
    internal Action<HostId> Bury { get; set; } = static _ => { };

    /// <summary>The sessions with at least one record; for a test's questions.</summary>
    public IReadOnlyList<SessionKey> Keys
    {
        get
        {
            lock (Gate) return [.. Sessions.Where(session => session.Value.Records.Count > 0).Select(session => session.Key)];
        }
    }

    /// <summary>Takes a session over as another host would: every lease that was given is fenced.</summary>
    public void Fence(SessionKey key)
    {
        lock (Gate) Sessions[key].Epoch++;
    }

    internal static DateTimeOffset Stored(DateTimeOffset at) => new(at.UtcTicks - (at.UtcTicks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);

    internal sealed record PendingEntry(DateTimeOffset At, bool IsGivenUp);

    internal sealed class Entry
    {
        /// <summary>Which session of the store this is, in the order they were made.</summary>
        public required int Ordinal { get; init; }

        public HostId? Host { get; set; }

        public long Epoch { get; set; }

        public long Seq { get; set; }

        public long Floor { get; set; }

        public long Compacted { get; set; }

        public long Archived { get; set; }

        public List<EventArchive> Archives { get; } = [];

        /// <summary>Up to it no event stands in a record.</summary>
        public long Emptied => Math.Max(Floor, Archived);

        public DateTimeOffset UpdatedAt { get; set; }

        public DateTimeOffset? WakeAt { get; set; }

        public DateTimeOffset? HiddenUntil { get; set; }

        public ReadOnlyMemory<byte> View { get; set; }

        public RepositoryEnvironment? Environment { get; set; }

        public List<JournalRecord> Records { get; } = [];

        public JournalSnapshot? Snapshot { get; set; }

        public long Version => Records.Count;

        /// <summary>Nobody has it open, and no wake-up waits for it.</summary>
        public bool Sleeps => Host is null && WakeAt is null;
    }
}
