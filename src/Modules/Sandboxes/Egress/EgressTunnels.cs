using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Coordinator.Ports;
using Microsoft.Extensions.Options;

namespace Coordinator.Modules.Sandboxes.Egress;

/// <summary>Counts the open connections of each box and bounds them, and the bytes that pass.</summary>
internal sealed class EgressTunnels : IDisposable
{
    private readonly int most;
    private readonly ConcurrentDictionary<SandboxId, int> open = new();
    private readonly Meter meter;
    private readonly Counter<long> bytes;
    private readonly UpDownCounter<long> tunnels;

    public EgressTunnels(IOptions<EgressOptions> options, IMeterFactory meters)
    {
        most = options.Value.MaxTunnelsPerBox;
        meter = meters.Create("Coordinator.Sandboxes");
        bytes = meter.CreateCounter<long>("coordinator.egress.bytes", "By", "Bytes between boxes and the outside.");
        tunnels = meter.CreateUpDownCounter<long>("coordinator.egress.tunnels", "{tunnel}", "Open connections of boxes to the outside.");
    }

    /// <summary>A place for one more connection of this box; null when it has all it may.</summary>
    public IDisposable? TryEnter(SandboxId sandbox)
    {
        if (open.AddOrUpdate(sandbox, 1, (_, count) => count + 1) > most)
        {
            Leave(sandbox);
            return null;
        }

        tunnels.Add(1);
        return new Place(this, sandbox);
    }

    /// <summary>How many connections a box has open.</summary>
    public int OpenOf(SandboxId sandbox) => open.GetValueOrDefault(sandbox);

    public void CountOut(int count) => bytes.Add(count, new KeyValuePair<string, object?>("direction", "out"));

    public void CountIn(int count) => bytes.Add(count, new KeyValuePair<string, object?>("direction", "in"));

    public void Dispose() => meter.Dispose();

    private void Leave(SandboxId sandbox)
    {
        // Removed at zero, and only if it is still zero, so that the table holds no box without connections.
        open.AddOrUpdate(sandbox, 0, (_, count) => count - 1);
        open.TryRemove(new(sandbox, 0));
    }

    private sealed class Place(EgressTunnels owner, SandboxId sandbox) : IDisposable
    {
        private int left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref left, 1) == 1) return;
            owner.Leave(sandbox);
            owner.tunnels.Add(-1);
        }
    }
}
