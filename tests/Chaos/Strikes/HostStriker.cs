using Coordinator.Tests.Chaos.Load;
using Coordinator.Tests.Chaos.World;
using Coordinator.Tests.Support.Network;

namespace Coordinator.Tests.Chaos.Strikes;

/// <summary>Strikes what all sessions stand on. One strike at a time: a host is not struck while it starts.</summary>
internal sealed class HostStriker(ChaosWorld world, IReadOnlyList<LoadedSession> sessions, Random random)
{
    private static readonly TimeSpan LongestTrouble = TimeSpan.FromSeconds(3);

    /// <summary>Strikes, and returns when what was struck runs again, with what tells of the recovery of the sessions. Null when there was nothing to strike.</summary>
    public async Task<Task<Strike>?> StrikeAsync(StrikeKind kind, CancellationToken cancellationToken)
    {
        var (struck, at) = (TimeProvider.System.GetTimestamp(), TimeProvider.System.GetUtcNow());
        switch (kind)
        {
            case StrikeKind.Host:
                var host = world.Hosts[random.Next(world.Hosts.Count)];
                await host.KillAsync();
                var recovery = RecoveryAsync(kind, struck, at, cancellationToken);
                await host.StartAsync();
                return recovery;
            case StrikeKind.Postgres:
                return world.KillDatabase() ? RecoveryAsync(kind, struck, at, cancellationToken) : null;
            case StrikeKind.Network:
                await TroubleAsync(world.Networks[random.Next(world.Networks.Count)], cancellationToken);
                return RecoveryAsync(kind, TimeProvider.System.GetTimestamp(), TimeProvider.System.GetUtcNow(), cancellationToken);
            default:
                throw new ArgumentOutOfRangeException(nameof(kind), kind, "It is a box's.");
        }
    }

    private async Task TroubleAsync(FaultProxy network, CancellationToken cancellationToken)
    {
        switch (random.Next(5))
        {
            case 0:
                network.Cut();
                return;
            case 1:
                network.Refuse();
                break;
            case 2:
                network.BlackHole(random.Next(2) == 0 ? Direction.ToClient : Direction.ToServer);
                break;
            case 3:
                network.Delay(TimeSpan.FromMilliseconds(random.Next(20, 300)));
                break;
            default:
                network.CutAfter(random.Next(0, 4_000), Direction.ToClient);
                break;
        }

        await Task.Delay(LongestTrouble * random.NextDouble(), TimeProvider.System, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        network.Heal();
    }

    private async Task<Strike> RecoveryAsync(StrikeKind kind, long struck, DateTimeOffset at, CancellationToken cancellationToken)
    {
        var seen = sessions.Select(session => session.Socket.Shown.Count).ToList();
        var words = await Task.WhenAll(sessions.Select((session, i) => session.Socket.Shown.FirstAsync(e => e.Type == "agent.text" && e.At > at, Bounds.Stuck, cancellationToken, seen[i])));
        return new(kind, words.Contains(null) ? null : TimeProvider.System.GetElapsedTime(struck));
    }
}
