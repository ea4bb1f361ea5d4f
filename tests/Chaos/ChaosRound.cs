using Coordinator.Tests.Chaos.Checks;
using Coordinator.Tests.Chaos.Load;
using Coordinator.Tests.Chaos.Strikes;
using Coordinator.Tests.Chaos.World;

namespace Coordinator.Tests.Chaos;

/// <summary>Some sessions under load: made, struck, brought to rest, archived and checked.</summary>
internal sealed class ChaosRound(ChaosWorld world, ChaosReport report, IReadOnlyList<LoadedSession> sessions) : IAsyncDisposable
{
    private static readonly StrikeKind[] OfBoxes = [StrikeKind.Agent, StrikeKind.Bridge, StrikeKind.Sandbox];

    public static async Task<ChaosRound> StartAsync(ChaosWorld world, ChaosReport report, int count, int seed, CancellationToken cancellationToken) =>
        new(world, report, await Task.WhenAll(Enumerable.Range(0, count).Select(number => LoadedSession.StartAsync(world, number, seed + (100 * number), cancellationToken))));

    /// <summary>Strikes at random until it is time: each session's box, and beside that what all stand on.</summary>
    public async Task StrikeAsync(IReadOnlyList<StrikeKind> kinds, int seed, CancellationToken until, CancellationToken cancellationToken)
    {
        var (ofBoxes, ofAll) = (kinds.Where(OfBoxes.Contains).ToList(), kinds.Except(OfBoxes).ToList());
        List<Task> lanes = [];
        if (ofBoxes.Count > 0) lanes.AddRange(sessions.Select((session, number) => BoxLaneAsync(session, ofBoxes, new(seed + number), until, cancellationToken)));
        if (ofAll.Count > 0) lanes.Add(HostLaneAsync(ofAll, new(seed - 1), until, cancellationToken));
        await Task.WhenAll(lanes);
    }

    /// <summary>Each kind once: those of boxes beside each other, then the others one after another, each once all have recovered from the last.</summary>
    public async Task StrikeEachOnceAsync(int seed, CancellationToken cancellationToken)
    {
        await Task.WhenAll(OfBoxes.Select(StrikeUntilStruckAsync));
        var striker = new HostStriker(world, sessions, new(seed));
        foreach (var kind in Enum.GetValues<StrikeKind>().Except(OfBoxes).Order())
        {
            var recovery = await striker.StrikeAsync(kind, cancellationToken);
            while (recovery is null) recovery = await striker.StrikeAsync(kind, cancellationToken);
            report.Add(await recovery);
        }

        async Task StrikeUntilStruckAsync(StrikeKind kind, int number)
        {
            while (!await StrikeBoxAsync(sessions[number % sessions.Count], kind, cancellationToken))
            {
                // Its turn was over in the moment between its words and the strike.
            }
        }
    }

    /// <summary>Brings all to rest, archives them, and looks for what must not be.</summary>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(sessions.Select(session => session.FinishAsync()));
        using var direct = world.DirectClient();
        foreach (var session in sessions)
        {
            await AtMostOneBoxAsync(session.Id, cancellationToken);
            var promptsRun = world.PromptsRun(session.Id);
            await direct.ArchiveAsync(session.Id, cancellationToken);
            await NothingLeftAsync(session.Id, cancellationToken);
            var evidence = await session.EvidenceAsync(direct, promptsRun, cancellationToken);
            report.Add(evidence, session.Turns);
            foreach (var flaw in await world.FlawsAsync(session.Id)) report.Add(new Finding(FindingKind.Missing, session.Id, $"in the database {flaw}"));
            foreach (var finding in session.Findings.Concat(LogCheck.Of(evidence)).Concat(TurnCheck.Of(evidence))) report.Add(finding);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var session in sessions) await session.DisposeAsync();
    }

    private async Task BoxLaneAsync(LoadedSession session, List<StrikeKind> kinds, Random random, CancellationToken until, CancellationToken cancellationToken)
    {
        while (await PauseAsync(random, until)) await StrikeBoxAsync(session, kinds[random.Next(kinds.Count)], cancellationToken);
    }

    /// <summary>False when there was nothing to strike.</summary>
    private async Task<bool> StrikeBoxAsync(LoadedSession session, StrikeKind kind, CancellationToken cancellationToken)
    {
        var strike = await new BoxStriker(session).StrikeAsync(kind, cancellationToken);
        if (strike is not null) report.Add(strike);
        return strike is not null;
    }

    /// <summary>Mostly it waits until all have recovered, and sometimes it strikes into the recovery.</summary>
    private async Task HostLaneAsync(List<StrikeKind> kinds, Random random, CancellationToken until, CancellationToken cancellationToken)
    {
        var striker = new HostStriker(world, sessions, random);
        List<Task<Strike>> recoveries = [];
        while (await PauseAsync(random, until))
        {
            if (await striker.StrikeAsync(kinds[random.Next(kinds.Count)], cancellationToken) is not { } recovery) continue;
            recoveries.Add(recovery);
            if (random.Next(4) > 0) await recovery;
        }

        foreach (var strike in await Task.WhenAll(recoveries)) report.Add(strike);
    }

    private static async Task<bool> PauseAsync(Random random, CancellationToken until)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(random.Next(100, 2_500)), TimeProvider.System, until).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return !until.IsCancellationRequested;
    }

    private async Task AtMostOneBoxAsync(string session, CancellationToken cancellationToken)
    {
        if (!await IsSoAsync(() => ChaosWorld.BoxesOf(session).Count <= 1, cancellationToken))
            report.Add(new Finding(FindingKind.OrphanBox, session, $"it has boxes beside its own: {string.Join(", ", ChaosWorld.BoxesOf(session))}"));
    }

    private async Task NothingLeftAsync(string session, CancellationToken cancellationToken)
    {
        if (!await IsSoAsync(() => world.RemainsOf(session).Count == 0, cancellationToken))
            report.Add(new Finding(FindingKind.OrphanBox, session, $"is archived, and there is {string.Join(", ", world.RemainsOf(session))}"));
    }

    private static async Task<bool> IsSoAsync(Func<bool> isSo, CancellationToken cancellationToken)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!isSo())
        {
            if (TimeProvider.System.GetElapsedTime(began) > Bounds.Gone) return false;
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken);
        }

        return true;
    }
}
