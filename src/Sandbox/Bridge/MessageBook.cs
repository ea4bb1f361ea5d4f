using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Sandbox.Bridge;

/// <summary>
/// What became of every message this box has seen, in the order it saw them. The oldest that ended are forgotten
/// beyond a bound the control plane never reaches back over.
/// </summary>
internal sealed class MessageBook
{
    /// <summary>How many messages are known at all.</summary>
    private const int MaxKept = 2_000;

    /// <summary>How many <c>hello</c> names: those the control plane can still have questions about.</summary>
    private const int MaxNamed = 200;

    private readonly Dictionary<MessageId, LedgerEntry> entries = [];
    private readonly Queue<MessageId> order = new();

    public MessageBook(IEnumerable<LedgerEntry> ledger)
    {
        foreach (var entry in ledger) Set(entry);
    }

    /// <summary>True when a message that is not in it may have been here all the same.</summary>
    public bool HasForgotten { get; private set; }

    public LedgerEntry? Find(MessageId message) => entries.GetValueOrDefault(message);

    public void Set(LedgerEntry entry)
    {
        if (!entries.ContainsKey(entry.Id)) order.Enqueue(entry.Id);
        entries[entry.Id] = entry;
        if (order.Count <= MaxKept) return;
        entries.Remove(order.Dequeue());
        HasForgotten = true;
    }

    public IEnumerable<KnownMessage> Known() => order.TakeLast(MaxNamed).Select(id => new KnownMessage(id, entries[id].State));

    /// <summary>What was accepted and never ended, and what ended in a spool other than this one.</summary>
    public IReadOnlyList<LedgerEntry> Unsettled(string spoolId) =>
        order.TakeLast(MaxNamed).Select(id => entries[id]).Where(entry => entry.State == KnownMessageState.Accepted || entry.SpoolId != spoolId).ToArray();
}
