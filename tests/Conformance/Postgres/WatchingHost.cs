using Coordinator.Adapters.Postgres.Backup;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Coordinator.Tests.Conformance.Postgres;

/// <summary>What a host without peers has of its database: the adapter, the watch, and sessions that can be told.</summary>
internal sealed class WatchingHost : IAsyncDisposable
{
    private readonly CountingKeeper keeper = new();
    private readonly ManualTime time = new(TimeProvider.System.GetUtcNow());
    private readonly TimelineWatch watch;

    public WatchingHost(EmbeddedServerFolder folder)
    {
        Sessions = new(folder.Layout.Connection().ConnectionString);
        watch = Sessions.Create<TimelineWatch>(time, new IKeepsSessions[] { keeper }, NullLogger<TimelineWatch>.Instance);
    }

    public PostgresSessions Sessions { get; }

    public int Times => keeper.Times;

    /// <summary>One look on connections of its own, so that it sees the server that there is now.</summary>
    public async Task LookAsync()
    {
        LeaveConnections();
        var look = watch.LookAsync(default);
        await Eventually.AdvanceAsync(time, TimelineWatch.Interval, () => look.IsCompleted);
        await look;
    }

    public async Task<int> IncarnationAsync(JournalLease lease) => (await Sessions.Journal.FindHeadAsync(lease.Key, default))!.Incarnation;

    public void LeaveConnections()
    {
        Sessions.System.Clear();
        Sessions.Shared.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        watch.Dispose();
        await Sessions.DisposeAsync();
    }
}

/// <summary>Counts how often its sessions were to begin anew.</summary>
internal sealed class CountingKeeper : IKeepsSessions
{
    private int times;

    public int Times => Volatile.Read(ref times);

    public Task BeginAnewAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref times);
        return Task.CompletedTask;
    }
}
