using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Adapters.InProcess.Cluster;

/// <summary>
/// Watches over the hosts from which something is awaited: an answer, or whatever a box is told. A host that hangs keeps
/// its sockets open and says nothing; its peers take it for dead all the same, and then nobody waits for it any longer.
/// However many wait for a host, one looks.
/// </summary>
internal sealed class PeerVigil(IHostRegistry registry, TimeProvider time, ClusterLog log)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    private readonly Lock gate = new();
    private readonly Dictionary<HostId, Watch> watches = [];

    /// <summary>Watches over a host until what it gives is disposed.</summary>
    public Kept Keep(HostId host)
    {
        lock (gate)
        {
            if (!watches.TryGetValue(host, out var watch))
            {
                watch = watches[host] = new();
                watch.Looking = Task.Run(() => LookAsync(host, watch));
            }

            watch.Keepers++;
            return new(this, host, watch);
        }
    }

    private async Task LookAsync(HostId host, Watch watch)
    {
        using var timer = new PeriodicTimer(LookEvery, time);
        try
        {
            while (await timer.WaitForNextTickAsync(watch.Over.Token))
            {
                if (await IsDoneAsync(host, watch)) return;
            }
        }
        catch (OperationCanceledException) when (watch.Over.IsCancellationRequested)
        {
            // Nobody waits for it any more.
        }
    }

    /// <summary>One look: true when the host is dead, and all who wait for it have been told.</summary>
    private async Task<bool> IsDoneAsync(HostId host, Watch watch)
    {
        try
        {
            if (await registry.IsAliveAsync(host, watch.Over.Token)) return false;
            log.PeerDied(host);
            await watch.Dead.CancelAsync();
            return true;
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !watch.Over.IsCancellationRequested)
        {
            // Whatever it was: all who wait for the host, and whoever joins them, hang on this one look.
            if (failure is PortException) log.VigilMissed(failure, host);
            else log.VigilFailed(failure, host);
            return false;
        }
    }

    private void Leave(HostId host, Watch watch)
    {
        lock (gate)
        {
            if (--watch.Keepers > 0) return;
            if (watches.TryGetValue(host, out var present) && present == watch) watches.Remove(host);
        }

        watch.Over.Cancel();
    }

    /// <summary>One look-out for all who wait for one host. Its tokens have no timers, and are let go with it.</summary>
    internal sealed class Watch
    {
        public CancellationTokenSource Dead { get; } = new();

        public CancellationTokenSource Over { get; } = new();

        public Task Looking { get; set; } = Task.CompletedTask;

        public int Keepers { get; set; }
    }

    /// <summary>Somebody's part in a watch.</summary>
    internal sealed class Kept(PeerVigil owner, HostId host, Watch watch) : IDisposable
    {
        private int left;

        /// <summary>Cancelled when the host is dead to its peers.</summary>
        public CancellationToken Dead => watch.Dead.Token;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref left, 1) == 0) owner.Leave(host, watch);
        }
    }
}
