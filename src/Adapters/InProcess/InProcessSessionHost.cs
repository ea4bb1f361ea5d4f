using System.Collections.Concurrent;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Coordinator.Adapters.InProcess;

/// <summary>
/// <see cref="ISessionHost"/> for one host: every session's actor lives in this process while something needs it.
/// Ownership is still taken and fenced through the journal, so a second host on the same database does no harm.
/// </summary>
public sealed class InProcessSessionHost : ISessionHost, IWakesSessions, IKeepsSessions, IAsyncDisposable
{
    private readonly ISessionJournal journal;
    private readonly SessionHostOptions options;
    private readonly HostId host;
    private readonly SessionOpening opening;
    /// <summary>Sessions are opened only by whom the registry names then: one that leaves may be a peer's before its last call has gone.</summary>
    private readonly bool hasPeers;
    private readonly EffectPool effects;
    private readonly SessionHolds holds;
    private readonly Followers followers = new();
    private readonly RecentEvents recent;
    private readonly ActivationServices services;
    private readonly ConcurrentDictionary<SessionKey, Lazy<Task<Activation?>>> table = new();
    private volatile bool draining;
    /// <summary>Set before <see cref="draining"/> by a drain, and not by an end for another reason.</summary>
    private volatile bool toldToStop;

    /// <summary>How many sessions are handed over at once; the others are served meanwhile.</summary>
    internal const int HandOverBatch = 64;

    public InProcessSessionHost(
        ISessionJournal journal,
        ISessionMachineFactory machines,
        IEnumerable<ISessionEffectRunner> runners,
        IOptions<SessionHostOptions> options,
        TimeProvider time,
        ILogger<InProcessSessionHost> logger)
        : this(journal, machines, runners, options, time, logger, HostId.New(time))
    {
    }

    /// <summary>With the id that its peers know it by; <paramref name="opened"/> is told of each session that there was before and that this host has now; <paramref name="shared"/> outlives it.</summary>
    internal InProcessSessionHost(
        ISessionJournal journal,
        ISessionMachineFactory machines,
        IEnumerable<ISessionEffectRunner> runners,
        IOptions<SessionHostOptions> options,
        TimeProvider time,
        ILogger<InProcessSessionHost> logger,
        HostId host,
        Action<SessionKey>? opened = null,
        SessionHolds? shared = null)
    {
        (this.journal, this.options, this.host, hasPeers) = (journal, options.Value, host, opened is not null);
        Log = new(logger);
        effects = new(runners, this.options.EffectTimeout, this.options.EffectsAtOnce, time, logger);
        holds = shared ?? new();
        holds.Released += LookWhetherFree;
        recent = new(this.options.RecentBytesOfSession, this.options.RecentBytes);
        services = new(new(journal, this.options.JournalPatience, time, Log), followers, recent, effects, holds, this.options, time, Log, Forget);
        opening = new(journal, machines, host, opened, services);
    }

    internal HostLog Log { get; }

    HostLog IWakesSessions.Log => Log;

    HostId? IWakesSessions.ServesAs => draining ? null : host;

    Task<bool> IWakesSessions.WakeAsync(SessionKey key, CancellationToken cancellationToken) => WakeAsync(key, cancellationToken);

    /// <summary>True while the session's actor is in this process.</summary>
    internal bool IsActive(SessionKey key) => table.ContainsKey(key);

    /// <summary>What tells those who follow the session here of what other hosts write.</summary>
    internal FollowerRelay RelayTo(SessionKey key, SessionCursor start) => new(key, start, journal, followers, IsActive, options.FollowerBytes / 4);

    /// <summary>True once it is told to stop: what it still has is served until it is handed over, and nothing else.</summary>
    internal bool IsDraining => draining;

    /// <summary>Sessions in memory now.</summary>
    public int ActiveCount => table.Count;

    public ValueTask<Result<SessionReply>> CallAsync(SessionKey key, SessionCommand command, CancellationToken cancellationToken) => command is SessionCommand.GetView
        ? LookAsync(key, cancellationToken)
        : OnActivationAsync(key, command is SessionCommand.Create, a => a.CallAsync(id => new SessionInput.Called(id, command), cancellationToken), cancellationToken);

    public async ValueTask<Result<ISessionSubscription>> SubscribeAsync(SessionKey key, SessionCursor? after, CancellationToken cancellationToken)
    {
        if (draining) throw Draining();
        if (await journal.FindHeadAsync(key, cancellationToken) is not { } head) return JournalledView.NotFound;
        var now = new SessionCursor(head.Incarnation, head.Seq);
        var start = after ?? now;
        if (start.Incarnation != now.Incarnation || start.Seq > now.Seq || start.Seq < head.Floor)
            return new Problem("cursor_invalid", "The cursor is not one of this session's present history; load the session anew.", ProblemKind.Gone);
        var follower = new Follower(key, journal, recent, start, new(now, head.View), options.FollowerBytes, followers.Remove);
        followers.Add(follower);
        if (draining) follower.Close(SubscriptionCloseReason.HostRestarting);
        return follower;
    }

    public async ValueTask<Result<IBridgeLink>> AttachBridgeAsync(SessionKey key, BoxCredential credential, BridgeHello hello, IBridgeSink sink, CancellationToken cancellationToken)
    {
        ActorLink? link = null;
        var answer = await OnActivationAsync(
            key,
            create: false,
            async activation =>
            {
                var joining = link = new(activation, activation.AddLink(sink));
                var joined = false;
                try
                {
                    var reply = await activation.CallAsync(id => new SessionInput.BridgeAttached(joining.Id, id, credential, hello), cancellationToken);
                    joined = reply.IsSuccess;
                    return reply;
                }
                finally
                {
                    // A caller that does not hear of its link cannot give it back.
                    if (!joined) await joining.DisposeAsync();
                }
            },
            cancellationToken);
        return answer.IsSuccess ? link! : answer.Problem;
    }

    public ISessionHold? TryHold(SessionKey key) => holds.TryTake(key);

    /// <summary>
    /// Work of sessions that is under way has <see cref="SessionHostOptions.SettleTime"/> to come to its end, so that the next
    /// host need not do it again. A session is handed over once nobody works for it any more, and one that is only now coming to be in
    /// memory once it has; each is served until its turn, and one that is stuck on its way in or out keeps no other back.
    /// </summary>
    public async ValueTask DrainAsync(CancellationToken cancellationToken)
    {
        toldToStop = true;
        holds.Close();
        await CloseAsync();
        var settling = SettleAsync(cancellationToken);
        var arriving = Opening;
        await Task.WhenAll([HandOverAsync(Activations, cancellationToken), settling, .. arriving.Select(task => HandOverOpenedAsync(task, cancellationToken))]);
        await HandOverAsync(Activations, cancellationToken);
    }

    /// <summary>Ends everything at once, for a host whose sessions are perhaps another's already.</summary>
    internal async Task StopAsync(CancellationToken cancellationToken)
    {
        await CloseAsync();
        var (stopped, given) = (effects.StopAsync(), opening.EndAsync()); // beside the actors' end: the driver dials the server to have a statement cancelled
        foreach (var activation in Activations) activation.BeginEnd(LinkCloseReason.HostRestarting);
        await OpeningAsync(cancellationToken);
        foreach (var activation in Activations) activation.BeginEnd(LinkCloseReason.HostRestarting);
        await Task.WhenAll(Activations.Select(activation => activation.Ended)).WaitAsync(cancellationToken);
        await stopped.WaitAsync(cancellationToken);
        await given.WaitAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async Task BeginAnewAsync(CancellationToken cancellationToken)
    {
        await OpeningAsync(cancellationToken);
        var stale = Activations;
        foreach (var activation in stale) activation.BeginEnd(LinkCloseReason.HostRestarting);
        followers.CloseAll(SubscriptionCloseReason.HostRestarting);
        await Task.WhenAll(stale.Select(activation => activation.Ended)).WaitAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await effects.DisposeAsync();
        holds.Released -= LookWhetherFree;
        if (!hasPeers) holds.Dispose(); // else the process has it, whatever it is registered as
        opening.Dispose();
    }

    /// <inheritdoc cref="IWakesSessions.WakeAsync"/>
    internal async Task<bool> WakeAsync(SessionKey key, CancellationToken cancellationToken)
    {
        if (draining) return false;
        try
        {
            if (await ActivateAsync(key, create: false, cancellationToken) is not { } activation) return true;
            if (activation.Ended.IsCompleted) Forget(key, activation);
            else activation.Ring();
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            // One session that cannot be woken, whatever the reason, must not keep the others from being.
            Log.WakeFailed(e, key);
        }

        return !draining; // it may have failed for that, and then a peer is to wake it
    }

    private IReadOnlyList<Activation> Activations => [.. table.Values.Where(entry => entry.Value.IsCompletedSuccessfully).Select(entry => entry.Value.Result).OfType<Activation>()];

    /// <summary>From memory where it is awake, and as the journal has it elsewhere: what may be shown is durable.</summary>
    private async ValueTask<Result<SessionReply>> LookAsync(SessionKey key, CancellationToken cancellationToken)
    {
        try
        {
            if (FindActive(key) is { } activation) return await activation.CallAsync(id => new SessionInput.Called(id, new SessionCommand.GetView()), cancellationToken);
        }
        catch (ActivationOverException)
        {
            // What it knew stands in the journal.
        }

        return await JournalledView.ReadAsync(journal, key, cancellationToken);
    }

    private Activation? FindActive(SessionKey key) =>
        table.TryGetValue(key, out var entry) && entry is { IsValueCreated: true, Value: { IsCompletedSuccessfully: true, Result: { } activation } } ? activation : null;

    private IReadOnlyList<Task<Activation?>> Opening => [.. table.Values.Select(entry => entry.Value).Where(task => !task.IsCompleted)];

    /// <summary>What a host says that takes nothing more; planned where it was told to stop, and not where it is none any more.</summary>
    internal static PortException Stopping(bool isPlanned) =>
        new(PortFailureKind.Unavailable, "This host is stopping; try again at once.", retryAfter: TimeSpan.FromSeconds(1)) { IsPlanned = isPlanned };

    private PortException Draining() => Stopping(toldToStop);

    /// <summary>From here on nothing is woken, followed or begun.</summary>
    private async Task CloseAsync()
    {
        draining = true;
        Log.Draining(table.Count);
        await effects.CloseAsync();
        followers.CloseAll(SubscriptionCloseReason.HostRestarting);
    }

    /// <summary>What is still under way when the time is over is given up.</summary>
    private async Task SettleAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(options.SettleTime, services.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        await Task.WhenAll(effects.SettleAsync(), holds.SettleAsync()).WaitAsync(either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(effects.StopAsync(), holds.StopAsync()).WaitAsync(cancellationToken);
    }

    /// <summary>Each as soon as nobody works for it, so many at a time.</summary>
    private static async Task HandOverAsync(IEnumerable<Activation> activations, CancellationToken cancellationToken)
    {
        using var places = new SemaphoreSlim(HandOverBatch);
        await Task.WhenAll(activations.Select(async activation =>
        {
            await Task.WhenAny(activation.WhenFree(), activation.Ended).WaitAsync(cancellationToken);
            await places.WaitAsync(cancellationToken);
            activation.BeginEnd(LinkCloseReason.HostRestarting);
            await activation.Ended.WaitAsync(cancellationToken);
            places.Release();
        }));
    }

    /// <summary>One that cannot be opened is not here to be handed over: who asked for it is told why.</summary>
    private static async Task HandOverOpenedAsync(Task<Activation?> opening, CancellationToken cancellationToken)
    {
        await ((Task)opening).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        if (opening is { IsCompletedSuccessfully: true, Result: { } activation }) await HandOverAsync([activation], cancellationToken);
    }

    /// <summary>Waits for the sessions that are just coming to be in memory, or found not to.</summary>
    private async Task OpeningAsync(CancellationToken cancellationToken)
    {
        Task opening = Task.WhenAll(table.Values.Select(entry => entry.Value));
        await opening.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>Runs on the live activation; one that was just ending gives way to the next.</summary>
    private async ValueTask<Result<SessionReply>> OnActivationAsync(SessionKey key, bool create, Func<Activation, ValueTask<Result<SessionReply>>> call, CancellationToken cancellationToken)
    {
        for (var lost = 0; ;)
        {
            if (await ActivateAsync(key, create, cancellationToken) is not { } activation) return JournalledView.NotFound;
            try
            {
                return await call(activation);
            }
            catch (PortException fenced) when (create && !hasPeers && lost++ == 0 && fenced is { Kind: PortFailureKind.Fenced, EffectMayHaveHappened: false })
            {
                // The database crashed before the lease of a session that was just to be made had come to its disk.
                await activation.Ended.WaitAsync(cancellationToken);
                Forget(key, activation);
            }
            catch (ActivationOverException)
            {
                await activation.Ended.WaitAsync(cancellationToken);
                Forget(key, activation);
                if (hasPeers) throw new PortException(PortFailureKind.Fenced, "The session has just left this host.");
            }
        }
    }

    private async ValueTask<Activation?> ActivateAsync(SessionKey key, bool create, CancellationToken cancellationToken)
    {
        var entry = draining
            ? table.GetValueOrDefault(key) ?? throw Draining()
            : table.GetOrAdd(key, static (k, s) => s.Self.Opened(k, s.Create), (Self: this, Create: create));
        if (await entry.Value.WaitAsync(cancellationToken) is { } activation) return activation;
        return create ? await ActivateAsync(key, create, cancellationToken) : null;
    }

    /// <summary>An opening that comes to nothing takes itself off the table: whoever asked for it may have left by then.</summary>
    private Lazy<Task<Activation?>> Opened(SessionKey key, bool create)
    {
        Lazy<Task<Activation?>> entry = null!;
        return entry = new(OpenAsync);

        async Task<Activation?> OpenAsync()
        {
            Activation? opened = null;
            try
            {
                if (draining) throw Draining(); // it came behind the drain's look at what there is
                return opened = await opening.OpenAsync(key, create);
            }
            finally
            {
                if (opened is null) table.TryRemove(new(key, entry));
            }
        }
    }

    private void LookWhetherFree(SessionKey key) => FindActive(key)?.LookWhetherFree();

    private void Forget(SessionKey key, Activation activation)
    {
        if (table.TryGetValue(key, out var entry) && entry.IsValueCreated && entry.Value.IsCompletedSuccessfully && entry.Value.Result == activation)
            table.TryRemove(new(key, entry));
    }
}
