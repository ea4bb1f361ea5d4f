using Coordinator.Ports.Session;
using Coordinator.Sandbox.Events;
using Coordinator.Sandbox.Storage;

namespace Coordinator.Sandbox.Bridge;

/// <summary>
/// Steps the machine and carries out what it wants, in order: what is sent or ordered stands on what is on disk. No lock,
/// task, socket or clock; the disk is a seam. Not safe for use by two threads at once.
/// </summary>
internal sealed class BridgeWork(BridgeMachine machine, IBridgeDisk disk, IBridgeOrders orders, IBridgeWire wire, BoxLog log)
{
    private static readonly MessageEnd DiskFull =
        MessageEnd.Failed("disk_full", "The box's disk takes no more, so the message was not run. Delete files in the workspace, or start a new session.");

    /// <summary>
    /// The disk took no new spool: machine and disk number different events, so nothing more is done, and the program ends.
    /// </summary>
    public bool IsOver { get; private set; }

    /// <summary>A machine that stands where the disk does.</summary>
    public static BridgeMachine MachineOver(IBridgeDisk disk, BoxIdentity identity, LifecycleEvents lifecycle, Func<string> newSpoolId)
    {
        List<(Ports.MessageId, long)> ends = [];
        List<int> sizes = [];
        for (var n = disk.AckedN + 1; n <= disk.LastN; n++)
        {
            var body = disk.Read(n).Span;
            sizes.Add(body.Length + BoxFrameWriter.EventOverhead);
            if (BoxFrameWriter.EndedBy(body) is { } message) ends.Add((message, n));
        }

        return new BridgeMachine(identity, lifecycle, new SpoolState(disk.SpoolId, disk.AckedN, sizes), ends, disk.Found, newSpoolId);
    }

    /// <summary>Settles what an earlier life left. Called once, before any step.</summary>
    public void Recover() => Carry(machine.Recover());

    /// <exception cref="SpoolNotRenewedException">Once: the steps after it do nothing.</exception>
    public void Step(BridgeInput input)
    {
        if (!IsOver) Carry(machine.Step(input));
    }

    private void Carry(IReadOnlyList<BridgeOutput> outputs)
    {
        foreach (var output in outputs) Carry(output);
    }

    private void Carry(BridgeOutput output)
    {
        switch (output)
        {
            case BridgeOutput.Append append:
                disk.Append(append);
                break;
            case BridgeOutput.Remember remember:
                Remember(remember.Entry);
                break;
            case BridgeOutput.Trim trim:
                disk.Trim(trim.N);
                wire.Acknowledged(trim.N);
                break;
            case BridgeOutput.Renew renew:
                Renew(renew);
                break;
            case BridgeOutput.Send send:
                wire.Send(send.Frame);
                break;
            case BridgeOutput.SendEvent send:
                wire.SendEvent(send.N);
                break;
            case BridgeOutput.Close close:
                log.ClosingConnection(close.Reason);
                wire.Close(close.Code, close.Reason);
                break;
            default:
                Order(output);
                break;
        }
    }

    private void Renew(BridgeOutput.Renew renew)
    {
        IsOver = true;
        disk.Renew(renew);
        IsOver = false;
        log.SpoolRenewed(renew.SpoolId);
    }

    private void Order(BridgeOutput output)
    {
        switch (output)
        {
            case BridgeOutput.Configure configure:
                orders.Configure(configure.Settings);
                break;
            case BridgeOutput.StartTurn start:
                orders.StartTurn(start.Request);
                break;
            case BridgeOutput.CancelTurn cancel:
                orders.CancelTurn(cancel.Message);
                break;
            case BridgeOutput.Decide decide:
                orders.Decide(decide.Permission, decide.Allow, decide.Note);
                break;
            case BridgeOutput.Shutdown shutdown:
                orders.Shutdown(shutdown.Reason);
                break;
        }
    }

    /// <summary>A message whose acceptance cannot be written down is not run: after a crash it would be run twice.</summary>
    private void Remember(LedgerEntry entry)
    {
        var isAcceptance = entry.State == KnownMessageState.Accepted;
        try
        {
            disk.Remember(entry);
        }
        catch (IOException exception)
        {
            log.LedgerNotWritten(exception.Message);
            if (isAcceptance) Step(new BridgeInput.NotRemembered(entry.Id, DiskFull));
            return;
        }

        if (isAcceptance) Step(new BridgeInput.Remembered(entry.Id));
    }
}
