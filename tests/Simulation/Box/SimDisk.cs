using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Sandbox.Bridge;
using Coordinator.Tests.Simulation.Mutations;
using Coordinator.Tests.Simulation.World;

namespace Coordinator.Tests.Simulation.Box;

/// <summary>
/// The disk of a box behind the bridge's real seam. What was written survives the program; what was asked to be durable,
/// with all before it, survives the machine.
/// </summary>
internal sealed class SimDisk(SimWorld world, SimBox box) : IBridgeDisk
{
    private State now = State.Blank(box.NewSpoolId());
    private State durable = State.Blank(string.Empty);
    private State? copy;
    private IReadOnlyList<LedgerEntry> found = [];

    public bool IsFull { get; set; }

    public string SpoolId => now.SpoolId;

    public long AckedN => now.AckedN;

    public long LastN => now.AckedN + now.Kept.Count;

    public IReadOnlyList<LedgerEntry> Found => found;

    public bool HasCopy => copy is not null;

    /// <summary>What a program that starts finds.</summary>
    public void Open()
    {
        if (now.SpoolId.Length == 0) now = State.Blank(box.NewSpoolId());
        found = [.. now.Ledger];
    }

    public ReadOnlyMemory<byte> Read(long n) => now.Kept[(int)(n - now.AckedN - 1)];

    public void Append(BridgeOutput.Append append)
    {
        now.Kept.Add(append.Body);
        if (append.Durable) Flush();
    }

    public void Trim(long n)
    {
        var count = (int)(Math.Min(n, LastN) - now.AckedN);
        now.Kept.RemoveRange(0, count);
        now.AckedN += count;
    }

    public void Renew(BridgeOutput.Renew renew)
    {
        var dropped = (int)Math.Min(now.Kept.Count, Math.Max(0, renew.KeepFrom - now.AckedN - 1));
        now.Kept.RemoveRange(0, dropped);
        (now.SpoolId, now.AckedN) = (renew.SpoolId, 0);
        Flush();
    }

    public void Remember(LedgerEntry entry)
    {
        if (IsFull && entry.State == KnownMessageState.Accepted) throw new IOException("No space left on device.");
        if (world.Mutation == Mutation.AcceptedNotWritten && entry.State == KnownMessageState.Accepted) return;
        now.Ledger.RemoveAll(known => known.Id == entry.Id);
        now.Ledger.Add(entry);
        durable.Ledger.Clear();
        durable.Ledger.AddRange(now.Ledger);
    }

    /// <summary>The machine lost its power.</summary>
    public void LoseCache() => GoTo(durable.Copy());

    /// <summary>A new, empty disk.</summary>
    public void Lose() => GoTo(State.Blank(string.Empty));

    public void KeepCopy() => copy = now.Copy();

    public void RestoreCopy() => GoTo(copy!.Copy());

    /// <summary>The copy of a box that is restored was taken earlier: acceptances made since are not on it.</summary>
    public IEnumerable<MessageId> LostByRestore() => now.Ledger.Select(e => e.Id).Where(id => !copy!.Ledger.Exists(e => e.Id == id));

    private void Flush() => durable = now.Copy();

    private void GoTo(State state)
    {
        now = state;
        durable = state.Copy();
    }

    private sealed class State
    {
        public required string SpoolId { get; set; }

        public long AckedN { get; set; }

        public List<ReadOnlyMemory<byte>> Kept { get; private init; } = [];

        public List<LedgerEntry> Ledger { get; private init; } = [];

        public static State Blank(string spoolId) => new() { SpoolId = spoolId };

        public State Copy() => new() { SpoolId = SpoolId, AckedN = AckedN, Kept = [.. Kept], Ledger = [.. Ledger] };
    }
}
