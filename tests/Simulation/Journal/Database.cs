using Coordinator.Ports.Record;
using Coordinator.Ports.Session;
using Coordinator.Tests.Simulation.Mutations;
using Coordinator.Tests.Simulation.World;

namespace Coordinator.Tests.Simulation.Journal;

/// <summary>
/// The one database of a world, as its statements are atomic: journal, alarms, snapshots and history, with the semantics
/// of the ports' contracts. Its clock is the world's.
/// </summary>
internal sealed class Database(SimWorld world, int sessions)
{
    /// <summary>More than any session asks for boxes within one, as the seconds are that it counts in production.</summary>
    private const int BetweenIncarnations = 1000;

    private SessionRow[] rows = [.. Enumerable.Range(0, sessions).Select(_ => new SessionRow())];
    private SessionRow[]? kept;

    /// <summary>What a crash takes: rows that were changed by commits that waited for no disk, as they were before. The next commit that does wait takes them along.</summary>
    private readonly Dictionary<int, SessionRow> unforced = [];

    /// <summary>How often the database went back in time.</summary>
    public int Restores { get; private set; }

    /// <summary>Counts the servers that there have been: what was on its way to one goes with it.</summary>
    public int Server { get; private set; }

    /// <summary>Nobody can reach it.</summary>
    public bool IsDown => world.Now < DownUntil;

    public TimeSpan DownUntil { get; set; }

    public void Heal()
    {
        if (IsDown) DownUntil = world.Now;
    }

    /// <summary>A statement of a process that was gone was executed, so that nobody who lives knows of it.</summary>
    public bool WasWrittenByTheDead { get; set; }

    public bool HasCopy => kept is not null;

    public SessionRow Row(int session) => rows[session];

    public JournalLease? Open(int session, int host, bool create)
    {
        var row = rows[session];
        if (!create && row.Version == 0) return null;
        if (row.Version == 0) LeaveUnforced(session); // a lease under which nobody has been told anything
        else unforced.Clear();
        row.Epoch++;
        row.Host = host;
        return new(Names.Session(session), Names.Host(host), row.Epoch, row.Version, row.Seq, row.Incarnation);
    }

    public bool Append(int session, JournalLease lease, JournalAppend append)
    {
        var row = rows[session];
        if (world.Mutation != Mutation.MissingFence && (row.Epoch != lease.Epoch || row.Version != append.ExpectedVersion)) return false;
        if (world.Mutation == Mutation.AppendNotForced) LeaveUnforced(session);
        else unforced.Clear();
        var record = new JournalRecord(row.Version + 1, row.Seq + 1, row.Seq + append.EventCount, JournalRecord.CurrentSchema, RecordEvents.JsonCodec, append.Payload, append.At);
        row.Records.Add(record);
        if (RecordEvents.Read(record) is { } batch)
            foreach (var slice in batch.Events) row.Events.Add(batch.Utf8.Slice(slice.Offset, slice.Length));
        if (row.WakeAt != append.WakeAt) row.HiddenUntil = default;
        row.WakeAt = world.Mutation == Mutation.ForgottenAlarm ? null : append.WakeAt;
        if (append.View is { } view) row.View = new(new(row.Incarnation, row.Seq), view);
        world.Audit.Appended(session, record);
        world.Alarms.Expect(session);
        return true;
    }

    public void Release(int session, JournalLease lease)
    {
        var row = rows[session];
        if (row.Epoch != lease.Epoch) return;
        unforced.Clear();
        row.Epoch++;
        row.Host = null;
    }

    public void Save(int session, JournalLease lease, JournalSnapshot snapshot)
    {
        var row = rows[session];
        if (row.Epoch == lease.Epoch && snapshot.Version <= row.Version && !(row.Snapshot?.Version > snapshot.Version)) row.Snapshot = snapshot;
    }

    /// <summary>Idempotent by id; another run of the same ordinal is refused.</summary>
    public bool Keep(int session, RunRecord run)
    {
        var runs = rows[session].Runs;
        if (world.Mutation != Mutation.RunKeptTwice && runs.Exists(r => r.Id == run.Id)) return true;
        if (world.Mutation != Mutation.RunKeptTwice && runs.Exists(r => r.Ordinal == run.Ordinal)) return false;
        unforced.Clear();
        runs.Add(run);
        return true;
    }

    /// <summary>The server dies, and with it what is on no disk yet; another one has the rest.</summary>
    public void Crash()
    {
        Server++;
        foreach (var (session, before) in unforced) rows[session] = before;
        unforced.Clear();
    }

    /// <summary>A copy that the database can be restored to.</summary>
    public void KeepCopy() => kept = [.. rows.Select(row => row.Copy())];

    /// <summary>Goes back to the copy; every session is another incarnation of itself from then on.</summary>
    public void Restore()
    {
        var incarnations = rows.Select(row => row.Incarnation).ToArray();
        rows = [.. kept!.Select(row => row.Copy())];
        unforced.Clear();
        Restores++;
        Server++;
        for (var i = 0; i < rows.Length; i++)
        {
            rows[i].Incarnation = world.Mutation == Mutation.RestoreKeepsIncarnation ? rows[i].Incarnation : incarnations[i] + BetweenIncarnations;
            rows[i].Host = null;
            rows[i].Epoch++;
            rows[i].HiddenUntil = default;
        }
    }

    private void LeaveUnforced(int session)
    {
        if (!unforced.ContainsKey(session)) unforced.Add(session, rows[session].Copy());
    }
}
