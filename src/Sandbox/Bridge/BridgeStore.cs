using Coordinator.Ports;
using Coordinator.Sandbox.Events;
using Coordinator.Sandbox.Storage;

namespace Coordinator.Sandbox.Bridge;

/// <summary>The disk side of the bridge: carries out what the machine wants kept, and gives it what was found at start.</summary>
internal sealed class BridgeStore(DiskSpool spool, MessageLedger ledger) : IDisposable
{
    public bool HasRoom => spool.HasRoom;

    public static BridgeStore Open(BoxState state, Func<string> newSpoolId) =>
        new(DiskSpool.Open(state.SpoolFolder, new SpoolLimits(), newSpoolId), MessageLedger.Open(state.LedgerFile));

    /// <summary>A machine that stands where the disk does.</summary>
    public BridgeMachine NewMachine(BoxIdentity identity, LifecycleEvents lifecycle, Func<string> newSpoolId)
    {
        var ended = new List<MessageId>();
        for (var n = spool.AckedN + 1; n <= spool.LastN; n++)
        {
            if (BoxFrameWriter.EndedBy(spool.Read(n)) is { } message) ended.Add(message);
        }

        var sizes = spool.Sizes().Select(size => size + BoxFrameWriter.EventOverhead);
        return new BridgeMachine(identity, lifecycle, new SpoolState(spool.Id, spool.AckedN, sizes), ended, ledger.Entries, newSpoolId);
    }

    public void Append(BridgeOutput.Append append) => spool.Append(append.N, append.Body, append.Durable);

    public void Trim(long n) => spool.Trim(n);

    public void Renew(BridgeOutput.Renew renew) => spool.Renew(renew.SpoolId, renew.KeepFrom);

    /// <exception cref="IOException">It is not on disk.</exception>
    public void Remember(LedgerEntry entry) => ledger.Write(entry);

    public ReadOnlyMemory<byte> EventFrame(long n) => BoxFrameWriter.Event(n, spool.Read(n));

    public void Dispose()
    {
        spool.Dispose();
        ledger.Dispose();
    }
}
