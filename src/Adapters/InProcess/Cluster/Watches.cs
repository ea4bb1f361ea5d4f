using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Adapters.InProcess.Cluster;

/// <summary>
/// Those on this host who watch sessions of which the actor is elsewhere, or sleeps. What they see always comes from the
/// journal, read once for all of them when the session's host says that there is more of it. While nobody has the session awake
/// the next host that opens it tells, and its head is looked at now and then, since that may be missed. So a watcher misses
/// nothing, whoever dies, and wakes nobody.
/// </summary>
internal sealed class Watches(Membership members, IHostRegistry registry, ISessionJournal journal, PeerClient peers, ClusterOptions options, TimeProvider time, ClusterLog log) : IAsyncDisposable
{
    private static readonly TimeSpan Brief = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new();
    private readonly Dictionary<(HostId Host, SessionKey Key), Topic> running = [];
    private readonly CancellationTokenSource stopping = new();

    /// <summary>Has the subscription told of what other hosts write.</summary>
    public Result<ISessionSubscription> Watch(SessionKey key, Member member, ISessionSubscription subscription)
    {
        lock (gate)
        {
            if (!running.TryGetValue((member.Location.Id, key), out var watch))
            {
                watch = running[(member.Location.Id, key)] = new(member.Actors.RelayTo(key, subscription.View.Cursor), CancellationTokenSource.CreateLinkedTokenSource(stopping.Token));
                watch.Looking = Task.Run(() => LookAsync(key, member, watch.Relay, watch.Ending.Token));
            }

            watch.Relay.Join();
            watch.Watchers++;
            return new Watched(this, (member.Location.Id, key), subscription);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!stopping.IsCancellationRequested) await stopping.CancelAsync();
        Task[] looking;
        lock (gate) looking = [.. running.Values.Select(watch => watch.Looking)];
        await Task.WhenAll(looking);
    }

    private async Task LeaveAsync((HostId, SessionKey) topic)
    {
        Topic watch;
        lock (gate)
        {
            watch = running[topic];
            if (--watch.Watchers > 0) return;
            running.Remove(topic);
        }

        await watch.Ending.CancelAsync();
        await watch.Looking;
        watch.Ending.Dispose();
    }

    private async Task LookAsync(SessionKey key, Member member, FollowerRelay relay, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested && members.Find() == member)
        {
            using var listener = registry.Listen(key);
            try
            {
                if (await NextAsync(key, member, relay.Last, listener, cancellationToken) is var seq && seq > relay.Last) await relay.TellAsync(seq, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                // Whatever it was: all who watch the session here, and whoever joins them, hang on this one look.
                if (failure is PortException or PeerUnreachableException or PeerRefusedException) log.WatchMissed(failure as PortException ?? new PortException(PortFailureKind.Unavailable, failure.Message, inner: failure), key);
                else log.WatchFailed(failure, key);
                await PauseAsync(Brief, listener.Opened, cancellationToken); // a host that died is missed here until another opens the session
            }
        }
    }

    /// <summary>How far the journal reaches, when it reaches further than <paramref name="last"/> or after a while.</summary>
    private async Task<long> NextAsync(SessionKey key, Member member, long last, IOpeningListener listener, CancellationToken cancellationToken)
    {
        var longest = options.WatchInterval;
        if (!member.Actors.IsActive(key) && await registry.FindAsync(key, cancellationToken) is { } owner && owner.Id != member.Location.Id)
        {
            if (await AskAsync(owner, new(key, last), listener, cancellationToken) is { } seq) return seq;
            if (longest > Brief) longest = Brief; // it has it, and cannot say more: it stops, or lets it sleep
        }

        if (await journal.FindHeadAsync(key, cancellationToken) is { } head && head.Seq > last) return head.Seq;
        await PauseAsync(longest, listener.Opened, cancellationToken);
        return last;
    }

    /// <summary>What the session's host says; null when it does not have it any more, or another has opened it.</summary>
    private async Task<long?> AskAsync(HostLocation owner, PeerWait wait, IOpeningListener listener, CancellationToken cancellationToken)
    {
        using var given = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var asking = peers.AskAsync(owner, PeerClient.WaitsPath, wait, given.Token);
        if (await Task.WhenAny(asking, listener.Opened) != asking)
        {
            await given.CancelAsync();
            await ((Task)asking).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return null;
        }

        var answer = await asking;
        return answer.Failure is { } failure ? throw failure.ToException() : answer.Seq;
    }

    private async Task PauseAsync(TimeSpan longest, Task opened, CancellationToken cancellationToken) =>
        await opened.WaitAsync(longest, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private sealed class Topic(FollowerRelay relay, CancellationTokenSource ending)
    {
        public FollowerRelay Relay { get; } = relay;

        public CancellationTokenSource Ending { get; } = ending;

        public Task Looking { get; set; } = Task.CompletedTask;

        public int Watchers { get; set; }
    }

    private sealed class Watched(Watches owner, (HostId, SessionKey) topic, ISessionSubscription inner) : ISessionSubscription
    {
        private int left;

        public SessionView View => inner.View;

        public SessionCursor Start => inner.Start;

        public SubscriptionCloseReason? Closed => inner.Closed;

        public IAsyncEnumerable<EventBatch> ReadAsync(CancellationToken cancellationToken) => inner.ReadAsync(cancellationToken);

        public async ValueTask DisposeAsync()
        {
            if (Interlocked.Exchange(ref left, 1) != 0) return;
            await inner.DisposeAsync();
            await owner.LeaveAsync(topic);
        }
    }
}
