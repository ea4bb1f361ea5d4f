using System.Collections.Concurrent;
using Coordinator.Ports;

namespace Coordinator.Adapters.Postgres.Hosts;

/// <summary>
/// Since when this process sees a host's beat stand still, by its own monotonic clock. A beat that the database's clock has
/// left in the future, because that clock has gone back, makes no hanging host live.
/// </summary>
internal sealed class BeatsSeen(TimeProvider time)
{
    private const int MostHosts = 10_000;

    private readonly ConcurrentDictionary<HostId, (DateTime Beat, long SeenAt)> seen = new();

    /// <summary>False once the same beat was seen for longer than the host may be silent.</summary>
    public bool IsHeard(HostId host, DateTime beat, TimeSpan mayBeSilent)
    {
        if (seen.TryGetValue(host, out var known) && known.Beat == beat) return time.GetElapsedTime(known.SeenAt) <= mayBeSilent;
        if (seen.Count >= MostHosts) seen.Clear();
        seen[host] = (beat, time.GetTimestamp());
        return true;
    }
}
