using System.Collections.Concurrent;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Adapters.InProcess.Cluster;

/// <summary>
/// <see cref="ISessionHost"/> for several hosts on one database: what is asked of a session is done where its actor is.
/// Locations are remembered until one proves wrong; a host that is asked in vain says so and never passes anything on, so
/// that nothing goes round in circles. The journal's fence, not a location, keeps a session's log whole.
/// </summary>
public sealed class ClusterSessionHost : ISessionHost, IWakesSessions, IAsyncDisposable
{
    private const int MostLocations = 100_000;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(250);

    /// <summary>How long a host that stops waits for claims under way, which ask the store one question each.</summary>
    private static readonly TimeSpan ClaimTime = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<SessionKey, HostLocation> locations = new();
    private readonly IHostRegistry registry;
    private readonly ISessionJournal journal;
    private readonly PeerClient peers;
    private readonly PeerBridges bridges;
    private readonly Watches watches;
    private readonly SessionHolds holds;
    private readonly ClusterOptions options;
    private readonly ClusterLog log;
    private readonly TimeProvider time;
    private readonly ClaimGate claims = new();

    internal ClusterSessionHost(Membership members, IHostRegistry registry, ISessionJournal journal, PeerClient peers, PeerBridges bridges, SessionHolds holds, ClusterOptions options, TimeProvider time, ClusterLog log, HostLog hostLog)
    {
        (Members, this.registry, this.journal, this.peers, this.bridges, this.holds) = (members, registry, journal, peers, bridges, holds);
        (this.options, this.time, this.log, Log) = (options, time, log, hostLog);
        watches = new(members, registry, journal, peers, options, time, log);
    }

    internal Membership Members { get; }

    internal HostLog Log { get; }

    HostLog IWakesSessions.Log => Log;

    HostId? IWakesSessions.ServesAs => IsDraining ? null : Members.Find()?.Location.Id;

    /// <summary>True once it is told to stop: what it still has is served until it is handed over, what others have is asked of them, and nothing is opened.</summary>
    internal bool IsDraining => claims.IsClosed;

    public ValueTask<Result<SessionReply>> CallAsync(SessionKey key, SessionCommand command, CancellationToken cancellationToken) =>
        command is SessionCommand.GetView look ? LookAsync(key, look, cancellationToken) : AskAsync(key, command, cancellationToken);

    public async ValueTask<Result<ISessionSubscription>> SubscribeAsync(SessionKey key, SessionCursor? after, CancellationToken cancellationToken)
    {
        if (IsDraining) throw Draining();
        var member = await Members.CurrentAsync(cancellationToken);
        var subscribed = await member.Actors.SubscribeAsync(key, after, cancellationToken);
        return subscribed.IsSuccess ? watches.Watch(key, member, subscribed.Value) : subscribed;
    }

    public ValueTask<Result<IBridgeLink>> AttachBridgeAsync(SessionKey key, BoxCredential credential, BridgeHello hello, IBridgeSink sink, CancellationToken cancellationToken) => WhereItIsAsync(
        key,
        here => here.AttachBridgeAsync(key, credential, hello, sink, cancellationToken),
        there => bridges.AttachAsync(there, new(key, credential, hello), sink, cancellationToken),
        cancellationToken);

    /// <summary>Of the process, and not of what it is registered as now: a call outlives a registration that is lost.</summary>
    public ISessionHold? TryHold(SessionKey key) => IsDraining ? null : holds.TryTake(key);

    public async ValueTask DrainAsync(CancellationToken cancellationToken)
    {
        var claimed = claims.CloseAsync();
        bridges.CloseAll();
        holds.Close();
        await claimed.WaitAsync(ClaimTime, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            await Members.LeaveAsync(holds.SettleAsync(), cancellationToken);
        }
        finally
        {
            var stopped = holds.StopAsync(); // of a process that was no host any more, and has not come to be one
            bridges.End(); // the boxes that have come meanwhile, too
            await watches.DisposeAsync();
            await stopped.WaitAsync(cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _ = claims.CloseAsync();
        await Members.DisposeAsync();
        await watches.DisposeAsync();
    }

    /// <summary>Here when it is nobody's; one that another host has awake keeps its own time.</summary>
    async Task<bool> IWakesSessions.WakeAsync(SessionKey key, CancellationToken cancellationToken)
    {
        if (IsDraining || Members.Find() is not { } member) return false;
        try
        {
            var (owner, waking) = await ClaimAsync(key, member, actors => actors.WakeAsync(key, cancellationToken), cancellationToken);
            return waking is null ? owner is not null : await waking;
        }
        catch (PortException failure)
        {
            log.WakeFailed(failure, key);
            return !IsDraining && member.IsCurrent; // it may have failed for that, and then a peer is to wake it
        }
    }

    /// <summary>What a peer asks: done if the session is this host's, or may become so; else <see cref="PeerAnswer.Moved"/>.</summary>
    internal async ValueTask<T?> ForPeerAsync<T>(SessionKey key, Func<ISessionHost, ValueTask<T>> here, CancellationToken cancellationToken)
        where T : class
    {
        if (Members.Find() is not { } member) return null;
        try
        {
            if (member.Actors.IsActive(key)) return await here(member.Actors);
            var (_, begun) = await ClaimAsync(key, member, actors => here(actors).AsTask(), cancellationToken);
            return begun is null ? null : await begun;
        }
        catch (PortException over) when (IsDraining && over is { Kind: PortFailureKind.Unavailable, EffectMayHaveHappened: false })
        {
            return null; // it was being handed over
        }
    }

    /// <summary>Any host can, and a process that is none yet or none any more: what may be shown of a session is durable.</summary>
    private ValueTask<Result<SessionReply>> LookAsync(SessionKey key, SessionCommand.GetView look, CancellationToken cancellationToken) =>
        Members.Find() is { } member ? member.Actors.CallAsync(key, look, cancellationToken) : JournalledView.ReadAsync(journal, key, cancellationToken);

    private ValueTask<Result<SessionReply>> AskAsync(SessionKey key, SessionCommand command, CancellationToken cancellationToken) => WhereItIsAsync(
        key,
        here => here.CallAsync(key, command, cancellationToken),
        async there =>
        {
            var answer = await peers.AskAsync(there, PeerClient.CallsPath, new PeerCall(key, command), cancellationToken);
            if (answer.Moved) throw new PeerMovedException();
            if (answer.Failure is { } failure) throw failure.ToException();
            return answer.Problem is { } problem ? problem : (Result<SessionReply>)answer.Reply!;
        },
        cancellationToken);

    private static PortException Draining() => InProcessSessionHost.Stopping(isPlanned: true);

    private async ValueTask<T> WhereItIsAsync<T>(SessionKey key, Func<ISessionHost, ValueTask<T>> here, Func<HostLocation, ValueTask<T>> there, CancellationToken cancellationToken)
    {
        var (began, pause) = (time.GetTimestamp(), FirstPause);
        while (true)
        {
            var member = IsDraining ? Members.Find() ?? throw Draining() : await Members.CurrentAsync(cancellationToken);
            try
            {
                if (member.Actors.IsActive(key)) return await here(member.Actors);
                if (locations.TryGetValue(key, out var known)) return await there(known);
                var (owner, begun) = await ClaimAsync(key, member, actors => here(actors).AsTask(), cancellationToken);
                if (begun is not null) return await begun;
                return await there(owner is null ? await OthersAsync(key, member, cancellationToken) : Remember(key, owner));
            }
            catch (Exception failure) when (failure is PeerMovedException or PeerUnreachableException or PortException { Kind: PortFailureKind.Fenced, EffectMayHaveHappened: false })
            {
                locations.TryRemove(key, out _);
                if (time.GetElapsedTime(began) > options.SearchTime) throw new PortException(PortFailureKind.Unavailable, "The session's host cannot be reached; try again.", retryAfter: TimeSpan.FromSeconds(1), inner: failure);
            }
            catch (PeerRefusedException refused)
            {
                locations.TryRemove(key, out _);
                var failure = refused.ToPort();
                log.NotBelieved(failure);
                throw failure;
            }
            catch (Exception)
            {
                locations.TryRemove(key, out _); // whatever went wrong, the next call looks anew: the owner may hang
                throw;
            }

            await Task.Delay(pause, time, cancellationToken);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    /// <summary>Where the session is already; a host that stops is nobody to open it.</summary>
    private async ValueTask<HostLocation> OthersAsync(SessionKey key, Member member, CancellationToken cancellationToken) =>
        await registry.FindAsync(key, cancellationToken) is { } owner && owner.Id != member.Location.Id ? owner : throw Draining();

    /// <summary>
    /// Whose the session is, and what was begun when it is this host's: it is on its way into memory then, where a drain finds it.
    /// No owner: this host stops, and claims nothing.
    /// </summary>
    private async ValueTask<(HostLocation? Owner, Task<T>? Begun)> ClaimAsync<T>(SessionKey key, Member member, Func<InProcessSessionHost, Task<T>> begin, CancellationToken cancellationToken)
    {
        if (!claims.TryEnter()) return default;
        try
        {
            var owner = await registry.ClaimAsync(key, member.Registration, cancellationToken);
            return owner.Id == member.Location.Id ? (owner, begin(member.Actors)) : (owner, null);
        }
        finally
        {
            claims.Leave();
        }
    }

    private HostLocation Remember(SessionKey key, HostLocation owner)
    {
        if (locations.Count >= MostLocations) locations.Clear();
        return locations[key] = owner;
    }
}

/// <summary>The host that was asked does not have the session.</summary>
internal sealed class PeerMovedException : Exception;
