using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Sandbox.Bridge;
using Coordinator.Sandbox.Storage;
using Coordinator.Tests.Simulation.Mutations;
using Coordinator.Tests.Simulation.World;

namespace Coordinator.Tests.Simulation.Box;

/// <summary>The real spool and ledger of a box, on files that lose what files lose.</summary>
internal sealed class SimDisk(SimWorld world, SimBox box) : IBridgeDisk
{
    private const string Spool = "spool";
    private const string Ledger = "messages.jsonl";

    /// <summary>Small segments, so that some are full, some are dropped, and some can be lost from the middle.</summary>
    private readonly SpoolLimits limits = new(SegmentBytes: box.Dice.Pick([300, 3_000, 4_000_000]));

    private MemoryFiles now = new(box.Dice, world.Mutation == Mutation.FlushForgotten);
    private MemoryFiles? copy;
    private readonly HashSet<MessageId> lostSinceCopy = [];
    private readonly DiskPromises promises = new();
    private BridgeStore store = null!;

    public string SpoolId => store.SpoolId;

    public long AckedN => store.AckedN;

    public long LastN => store.LastN;

    public IReadOnlyList<LedgerEntry> Found => store.Found;

    public bool HasCopy => copy is not null;

    /// <summary>What a program that starts finds.</summary>
    /// <exception cref="IOException">The disk is too full to begin.</exception>
    public void Open()
    {
        store = new(DiskSpool.Open(now, Spool, limits, box.NewSpoolId), MessageLedger.Open(now, Ledger));
        promises.Check(box, store);
    }

    public ReadOnlyMemory<byte> Read(long n) => store.Read(n);

    public void Append(BridgeOutput.Append append)
    {
        store.Append(append);
        if (append.Durable && !now.WasFull) promises.Keep(store.SpoolId, append.N);
    }

    public void Trim(long n) => store.Trim(n);

    public void Renew(BridgeOutput.Renew renew)
    {
        promises.Renew(renew);
        store.Renew(renew);
    }

    public void Remember(LedgerEntry entry)
    {
        if (world.Mutation == Mutation.AcceptedNotWritten && entry.State == KnownMessageState.Accepted) return;
        store.Remember(entry);
        promises.Keep(entry);
    }

    public void Fill(bool full) => now.IsFull = full;

    /// <summary>The machine lost its power.</summary>
    public void LoseCache() => now.LosePower();

    /// <summary>A new, empty disk.</summary>
    public void Lose()
    {
        lostSinceCopy.UnionWith(Known(now));
        now = new(box.Dice) { IsFull = now.IsFull };
        promises.Forget();
    }

    /// <summary>A segment in the middle of the spool is gone or wrong.</summary>
    public void Damage()
    {
        now.Damage(".seg");
        promises.Forget();
    }

    public void KeepCopy()
    {
        copy = now.Copy();
        lostSinceCopy.Clear();
    }

    public void RestoreCopy()
    {
        now = copy!.Copy();
        lostSinceCopy.Clear();
        promises.Forget();
    }

    /// <summary>
    /// The copy of a box that is restored was taken earlier: acceptances made since are not on it. Nor are those of a disk that was lost in between, which
    /// the box would have told by its new spool: the copy has the spool that the server knows.
    /// </summary>
    public IEnumerable<MessageId> LostByRestore() => Known(now).Union(lostSinceCopy).Except(Known(copy!));

    private static IEnumerable<MessageId> Known(MemoryFiles files)
    {
        using var ledger = MessageLedger.Open(files.Copy(), Ledger);
        return [.. ledger.Entries.Select(entry => entry.Id)];
    }
}
