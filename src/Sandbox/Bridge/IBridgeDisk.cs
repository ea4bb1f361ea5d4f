using Coordinator.Sandbox.Events;

namespace Coordinator.Sandbox.Bridge;

/// <summary>
/// What the bridge keeps on disk: the spool of events that are not acknowledged, and the ledger of messages. A process
/// that dies loses nothing of it; a machine that dies loses what was not asked to be durable.
/// </summary>
internal interface IBridgeDisk
{
    string SpoolId { get; }

    /// <summary>The last n that is not kept any more.</summary>
    long AckedN { get; }

    long LastN { get; }

    /// <summary>What was found about messages when the disk was opened, oldest first.</summary>
    IReadOnlyList<LedgerEntry> Found { get; }

    /// <summary>The body of a kept event.</summary>
    ReadOnlyMemory<byte> Read(long n);

    void Append(BridgeOutput.Append append);

    void Trim(long n);

    /// <exception cref="Storage.SpoolNotRenewedException">The disk did not take it, and what is read here stands nowhere any more.</exception>
    void Renew(BridgeOutput.Renew renew);

    /// <summary>Writes down what became of a message; it is durable when this returns.</summary>
    /// <exception cref="IOException">It is not: nothing must be done that stands on it.</exception>
    void Remember(LedgerEntry entry);
}

/// <summary>The way to the control plane, as the bridge sees it: whatever is given here is on disk already.</summary>
internal interface IBridgeWire
{
    void Send(ReadOnlyMemory<byte> frame);

    void SendEvent(long n);

    /// <summary>Everything up to <paramref name="n"/> is the control plane's and no longer kept.</summary>
    void Acknowledged(long n);

    void Close(int code, string reason);
}
