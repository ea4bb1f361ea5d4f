using Coordinator.Client;
using Coordinator.Tests.Chaos.Checks;
using Coordinator.Tests.Chaos.Load;
using Coordinator.Tests.Chaos.Strikes;
using Coordinator.Tests.Chaos.World;

namespace Coordinator.Tests.Chaos;

/// <summary>
/// The sessions of a round sleep until hosts merge what their agents said, which is a minute after they were left and a minute after a host's start.
/// In the middle of that a host or PostgreSQL is killed, or nothing is, and all sessions are woken at once.
/// </summary>
internal sealed class ChaosNap(ChaosWorld world, ChaosReport report, IReadOnlyList<LoadedSession> sessions, Random random)
{
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(2);

    /// <summary>A sweep of so few sessions would be over within milliseconds.</summary>
    private static readonly TimeSpan DatabaseDelay = TimeSpan.FromMilliseconds(10);

    /// <summary>Returns when the sessions are asked again.</summary>
    public async Task PlayAsync(CancellationToken cancellationToken)
    {
        using (var direct = world.DirectClient())
            foreach (var asleep in sessions.Select(session => FallAsleepAsync(session, direct, cancellationToken)).ToList()) await asleep;
        foreach (var host in world.Hosts)
        {
            await host.StopAsync();
            await host.StartAsync();
        }

        foreach (var network in world.DatabaseNetworks) network.Delay(DatabaseDelay);
        var merged = await MergedAsync(random.Next(1, sessions.Count + 1), cancellationToken);
        var struck = merged is null ? null : await StrikeAsync();
        foreach (var session in sessions) session.Ask(cancellationToken);
        foreach (var network in world.DatabaseNetworks) network.Heal();
        if (merged is null) report.Add(new Finding(FindingKind.Stuck, "all", "no text of sessions that sleep was merged"));
        else report.AddNap(struck, merged.Value, sessions.Count);
    }

    /// <summary>Without a box there is nothing that it would have to be woken for.</summary>
    private async Task FallAsleepAsync(LoadedSession session, CoordinatorClient direct, CancellationToken cancellationToken)
    {
        await session.FinishAsync();
        await session.SettledAsync(direct, cancellationToken);
        session.Struck.Enqueue(new(StrikeKind.Bridge, TimeProvider.System.GetUtcNow()));
        foreach (var box in ChaosWorld.BoxesOf(session.Id)) box.Kill();
        for (var began = TimeProvider.System.GetTimestamp(); !await world.AsksAsync(watch => watch.IsAsleepAsync(session.Id));)
        {
            if (TimeProvider.System.GetElapsedTime(began) > Bounds.Stuck)
            {
                report.Add(new Finding(FindingKind.Stuck, session.Id, "its box is gone and nothing is asked, and it does not fall asleep"));
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, cancellationToken);
        }
    }

    /// <summary>How many are merged, once so many are; null when that does not come.</summary>
    private Task<int?> MergedAsync(int atLeast, CancellationToken cancellationToken) => world.AsksAsync<int?>(async watch =>
    {
        for (var began = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(began) < Bounds.Stuck;)
        {
            if (await watch.MergedAsync(sessions.Select(session => session.Id)) is var merged && merged >= atLeast) return merged;
            await Task.Delay(Between, TimeProvider.System, cancellationToken);
        }

        return null;
    });

    /// <summary>What was struck; null for nothing.</summary>
    private async Task<StrikeKind?> StrikeAsync()
    {
        switch (random.Next(3))
        {
            case 0:
                return world.KillDatabase() ? StrikeKind.Postgres : null;
            case 1:
                var host = world.Hosts[random.Next(world.Hosts.Count)];
                await host.KillAsync();
                await host.StartAsync();
                return StrikeKind.Host;
            default:
                return null;
        }
    }
}
