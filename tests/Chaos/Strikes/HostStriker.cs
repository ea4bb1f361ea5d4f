using System.Globalization;
using Coordinator.Tests.Chaos.Checks;
using Coordinator.Tests.Chaos.Load;
using Coordinator.Tests.Chaos.World;
using Coordinator.Tests.Support.Hosting;
using Coordinator.Tests.Support.Network;

namespace Coordinator.Tests.Chaos.Strikes;

/// <summary>Strikes what all sessions stand on. One strike at a time: a host is not struck while it starts.</summary>
internal sealed class HostStriker(ChaosWorld world, IReadOnlyList<LoadedSession> sessions, ChaosReport report, Random random)
{
    private readonly TroubleBag troubles = new(random);
    private readonly TroubleBag databaseTroubles = new(random);

    /// <summary>Some tens of events, or of a database's answers.</summary>
    private const int MostBytes = 4_000;

    /// <summary>Long enough for a host to lose its registration now and then.</summary>
    private static readonly TimeSpan LongestDatabaseTrouble = ChaosWorld.TimeToLive * 0.8;

    /// <summary>How long a network between clients and hosts does badly at the most.</summary>
    public TimeSpan LongestTrouble { get; init; } = NetworkTrouble.Longest;

    /// <summary>Strikes, and returns when what was struck runs again, with what tells of the recovery of the sessions. Null when there was nothing to strike.</summary>
    public async Task<Task<Strike>?> StrikeAsync(StrikeKind kind, CancellationToken cancellationToken)
    {
        var (struck, at) = (TimeProvider.System.GetTimestamp(), TimeProvider.System.GetUtcNow());
        switch (kind)
        {
            case StrikeKind.Host:
                return await OwningAsync() is { } owner ? await KillAsync(owner, TimeProvider.System.GetTimestamp(), TimeProvider.System.GetUtcNow(), cancellationToken) : null;
            case StrikeKind.Drain:
                return await OwningAsync() is { } drained ? await DrainAsync(drained, cancellationToken) : null;
            case StrikeKind.Postgres:
                return world.KillDatabase() ? RecoveryAsync(kind, struck, at, cancellationToken) : null;
            case StrikeKind.Network:
                return await TroubleAsync(kind, troubles, world.Networks[random.Next(world.Networks.Count)], LongestTrouble, cancellationToken);
            case StrikeKind.Database:
                return await TroubleAsync(kind, databaseTroubles, world.DatabaseNetworks[random.Next(world.DatabaseNetworks.Count)], LongestDatabaseTrouble, cancellationToken);
            case StrikeKind.Frozen:
                return await OwningAsync() is { } frozen ? await FreezeAsync(frozen, TimeProvider.System.GetTimestamp(), TimeProvider.System.GetUtcNow(), cancellationToken) : null;
            case StrikeKind.SandboxHost:
                if (HasEnded(world.SandboxHost.Url, world.SandboxHost.EndedByItself))
                {
                    await world.SandboxHost.StartAsync();
                    return null;
                }

                await world.SandboxHost.KillAsync();
                await world.SandboxHost.StartAsync();
                return RecoveryAsync(kind, struck, TimeProvider.System.GetUtcNow(), cancellationToken);
            default:
                throw new ArgumentOutOfRangeException(nameof(kind), kind, "It is a box's.");
        }
    }

    /// <summary>Tells a host to end, and starts it again. What it has in the middle of a turn goes on with a peer, or with itself once it is back.</summary>
    public async Task<Task<Strike>?> DrainAsync(HostProcess host, CancellationToken cancellationToken)
    {
        Task<Strike>? recovery = null;
        if (!HasEnded(host.Url, host.EndedByItself))
        {
            var struck = TimeProvider.System.GetTimestamp();
            if (await Drain.EndAsync(host.StopAsync) is { } problem) report.Add(problem);
            recovery = RecoveryAsync(StrikeKind.Drain, struck, TimeProvider.System.GetUtcNow(), cancellationToken);
        }

        await host.StartAsync();
        return recovery;
    }

    private async Task<HostProcess?> OwningAsync() =>
        StruckHost.Of([.. world.Hosts.Select(host => host.Url)], await world.OwnersAsync(sessions.Select(session => session.Id)), random) is { } host ? world.Hosts[host] : null;

    private async Task<Task<Strike>?> KillAsync(HostProcess host, long struck, DateTimeOffset at, CancellationToken cancellationToken)
    {
        Task<Strike>? recovery = null;
        if (!HasEnded(host.Url, host.EndedByItself))
        {
            await host.KillAsync();
            recovery = RecoveryAsync(StrikeKind.Host, struck, at, cancellationToken);
        }

        await host.StartAsync();
        return recovery;
    }

    /// <summary>What ended by itself was not struck, and must not be taken for it.</summary>
    private bool HasEnded(Uri what, int? exitCode)
    {
        if (exitCode is { } code) report.Add(new Finding(FindingKind.Broken, "all", string.Create(CultureInfo.InvariantCulture, $"{what} had ended by itself with exit code {code}")));
        return exitCode is not null;
    }

    /// <summary>It comes back in the belief that nothing was: it must be told otherwise, and register anew.</summary>
    private async Task<Task<Strike>?> FreezeAsync(HostProcess host, long struck, DateTimeOffset at, CancellationToken cancellationToken)
    {
        if (HasEnded(host.Url, host.EndedByItself))
        {
            await host.StartAsync();
            return null;
        }

        var before = await world.RegisteredAsync(host, static _ => true, cancellationToken);
        await host.SuspendAsync();
        var recovery = RecoveryAsync(StrikeKind.Frozen, struck, at, cancellationToken);
        await Task.Delay(ChaosWorld.TimeToLive * (1.1 + (0.4 * random.NextDouble())), TimeProvider.System, cancellationToken);
        await host.ResumeAsync();
        if (await world.RegisteredAsync(host, id => id != before, cancellationToken) is null)
            report.Add(new Finding(FindingKind.Stuck, "all", $"{host.Url} was frozen for longer than its time to live and has not come back under another id than {before}"));
        return recovery;
    }

    private async Task<Task<Strike>?> TroubleAsync(StrikeKind kind, TroubleBag bag, FaultProxy network, TimeSpan longest, CancellationToken cancellationToken)
    {
        var trouble = bag.Take();
        if (!await NetworkTrouble.PlayAsync(network, trouble, (Direction.ToClient, MostBytes), random, LastsAsync))
        {
            bag.PutBack(trouble);
            return null;
        }

        return RecoveryAsync(kind, TimeProvider.System.GetTimestamp(), TimeProvider.System.GetUtcNow(), cancellationToken, trouble);

        async Task LastsAsync() => await Task.Delay(longest * random.NextDouble(), TimeProvider.System, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task<Strike> RecoveryAsync(StrikeKind kind, long struck, DateTimeOffset at, CancellationToken cancellationToken, Trouble? trouble = null)
    {
        var recovered = await Task.WhenAll(sessions.Select(session => Recovery.OfAsync(session.Socket.Shown, at, Bounds.Stuck, cancellationToken)));
        return new(kind, recovered.Contains(false) ? null : TimeProvider.System.GetElapsedTime(struck), trouble);
    }
}
