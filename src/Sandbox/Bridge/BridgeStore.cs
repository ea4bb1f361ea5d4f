using Coordinator.Sandbox.Events;
using Coordinator.Sandbox.Storage;

namespace Coordinator.Sandbox.Bridge;

/// <summary>The bridge's disk on real files: carries out what the machine wants kept, and gives it what was found at start.</summary>
internal sealed class BridgeStore(DiskSpool spool, MessageLedger ledger) : IBridgeDisk, IDisposable
{
    public bool HasRoom => spool.HasRoom;

    public string SpoolId => spool.Id;

    public long AckedN => spool.AckedN;

    public long LastN => spool.LastN;

    public IReadOnlyList<LedgerEntry> Found => ledger.Entries;

    /// <exception cref="SpoolNotRenewedException">The disk takes neither of the two: this program must end.</exception>
    public static BridgeStore Open(BoxState state, Func<string> newSpoolId)
    {
        var spool = DiskSpool.Open(DiskFiles.Instance, state.SpoolFolder, new SpoolLimits(), newSpoolId);
        try
        {
            return new(spool, MessageLedger.Open(DiskFiles.Instance, state.LedgerFile));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            spool.Dispose();
            throw new SpoolNotRenewedException(exception);
        }
    }

    /// <summary>A machine that stands where the disk does.</summary>
    public BridgeMachine NewMachine(BoxIdentity identity, LifecycleEvents lifecycle, Func<string> newSpoolId) =>
        BridgeWork.MachineOver(this, identity, lifecycle, newSpoolId);

    public ReadOnlyMemory<byte> Read(long n) => spool.Read(n);

    public void Append(BridgeOutput.Append append) => spool.Append(append.N, append.Body, append.Durable);

    public void Trim(long n) => spool.Trim(n);

    public void Renew(BridgeOutput.Renew renew) => spool.Renew(renew.SpoolId, renew.KeepFrom);

    /// <summary>
    /// An end is written down only where the event that tells it is on disk too: one that memory alone holds, as after a full disk, would be
    /// gone with this program, and the next would take it for told.
    /// </summary>
    public void Remember(LedgerEntry entry)
    {
        if (entry.SpoolId is not null && spool.IsInMemoryAlone(spool.LastN)) throw new IOException("The disk was full, and the end of the message is in memory alone.");
        ledger.Write(entry);
    }

    public ReadOnlyMemory<byte> EventFrame(long n) => BoxFrameWriter.Event(n, spool.Read(n));

    public void Dispose()
    {
        spool.Dispose();
        ledger.Dispose();
    }
}
