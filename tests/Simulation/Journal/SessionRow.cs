using Coordinator.Ports.Record;
using Coordinator.Ports.Session;

namespace Coordinator.Tests.Simulation.Journal;

/// <summary>What the database holds of one session: the head, the records, the bytes of every public event, and its runs.</summary>
internal sealed class SessionRow
{
    public int? Host { get; set; }

    public long Epoch { get; set; }

    public int Incarnation { get; set; } = 1;

    public DateTimeOffset? WakeAt { get; set; }

    public DateTimeOffset HiddenUntil { get; set; }

    public JournalSnapshot? Snapshot { get; set; }

    public SessionView? View { get; set; }

    public List<JournalRecord> Records { get; private init; } = [];

    /// <summary>The envelope of seq n at n - 1.</summary>
    public List<ReadOnlyMemory<byte>> Events { get; private init; } = [];

    public List<RunRecord> Runs { get; private init; } = [];

    public long Version => Records.Count;

    public long Seq => Events.Count;

    public SessionRow Copy() => new()
    {
        Host = Host,
        Epoch = Epoch,
        Incarnation = Incarnation,
        WakeAt = WakeAt,
        HiddenUntil = HiddenUntil,
        Snapshot = Snapshot,
        View = View,
        Records = [.. Records],
        Events = [.. Events],
        Runs = [.. Runs],
    };
}
