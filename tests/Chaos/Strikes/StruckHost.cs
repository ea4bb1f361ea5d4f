namespace Coordinator.Tests.Chaos.Strikes;

/// <summary>Says which host is struck.</summary>
internal static class StruckHost
{
    /// <summary>At random one of those that own a session, so that the recovery is a takeover; null when none does, or nobody can tell in this moment.</summary>
    public static int? Of(IReadOnlyList<Uri> hosts, IReadOnlyCollection<Uri?> owners, Random random)
    {
        var owning = Enumerable.Range(0, hosts.Count).Where(host => owners.Contains(hosts[host])).ToList();
        return owning.Count == 0 ? null : owning[random.Next(owning.Count)];
    }
}
