using Coordinator.Ports;
using Coordinator.Sandbox.Bridge;
using Coordinator.Tests.Simulation.Invariants;

namespace Coordinator.Tests.Simulation.Box;

/// <summary>
/// What spool and ledger said is durable, and what must therefore be found by every program that starts on that disk,
/// whatever the machine went through. Only a disk that is lost, damaged or rewound takes it back.
/// </summary>
internal sealed class DiskPromises
{
    private readonly Dictionary<MessageId, LedgerEntry> entries = [];
    private readonly List<(string Spool, long UpTo)> spools = [];

    public void Keep(string spoolId, long n)
    {
        spools.Clear();
        spools.Add((spoolId, n));
    }

    public void Keep(LedgerEntry entry) => entries[entry.Id] = entry;

    /// <summary>
    /// What was durable and is kept has another number in another spool, and is durable there; which of the two a program finds
    /// is certain only once more was made durable.
    /// </summary>
    public void Renew(BridgeOutput.Renew renew)
    {
        if (spools.Count > 0) spools.Add((renew.SpoolId, Math.Max(0, spools[^1].UpTo - renew.KeepFrom + 1)));
    }

    public void Forget()
    {
        entries.Clear();
        spools.Clear();
    }

    public void Check(SimBox box, BridgeStore found)
    {
        if (spools.Count > 0 && !spools.Exists(one => one.Spool == found.SpoolId && one.UpTo <= found.LastN))
            throw new InvariantBrokenException(Invariant.NothingIsLostSilently, $"event {spools[^1].UpTo} of {spools[^1].Spool} was durable, and {box} finds {found.LastN} of {found.SpoolId}");
        spools.RemoveAll(one => one.Spool != found.SpoolId);
        foreach (var entry in found.Found) entries.Remove(entry.Id, out _);
        if (entries.Values.FirstOrDefault() is { } lost)
            throw new InvariantBrokenException(Invariant.NothingIsLostSilently, $"{box} had written down that {lost.Id} is {lost.State}, and finds nothing of it");
        foreach (var entry in found.Found) entries[entry.Id] = entry;
    }
}
