using Coordinator.Client;
using Coordinator.Tests.Chaos.Checks;
using Coordinator.Tests.Chaos.Load;
using Coordinator.Tests.Chaos.Strikes;
using Coordinator.Tests.Chaos.World;

namespace Coordinator.Tests.Chaos;

/// <summary>Some sessions under load: made, struck, brought to rest, archived and checked.</summary>
internal sealed class ChaosRound(ChaosWorld world, ChaosReport report, IReadOnlyList<LoadedSession> sessions, int seed) : IAsyncDisposable
{
    private readonly TroubleBag linkTroubles = new(new(seed));
    private readonly Random napRandom = new(seed);
    private static readonly TimeSpan ShortTrouble = TimeSpan.FromSeconds(1);

    private readonly BoxWatch boxes = new();

    public static async Task<ChaosRound> StartAsync(ChaosWorld world, ChaosReport report, int count, int seed, CancellationToken cancellationToken) =>
        new(world, report, await Task.WhenAll(Enumerable.Range(0, count).Select(number => LoadedSession.StartAsync(world, number, seed + (100 * number), cancellationToken))), seed);

    /// <summary>Strikes until it is time or nothing is left to strike: each session's box, and beside that what all stand on.</summary>
    public async Task StrikeAsync(StrikeBag ofBoxes, StrikeBag ofAll, TimeSpan pause, CancellationToken until, CancellationToken cancellationToken) => await Task.WhenAll(
        [HostLaneAsync(ofAll, pause, new(seed - 1), until, cancellationToken), .. sessions.Select((session, number) => BoxLaneAsync(session, ofBoxes, pause, new(seed + number), until, cancellationToken))]);

    /// <summary>Ends the upgrade as an operator would: each host that no strike has upgraded is drained, one after another, while people ask on.</summary>
    public async Task UpgradeRestAsync(CancellationToken cancellationToken)
    {
        var striker = new HostStriker(world, sessions, report, new(seed));
        foreach (var host in world.HostsToUpgrade)
            if (await striker.DrainAsync(host, cancellationToken) is { } recovery) report.Add(await recovery);
    }

    /// <summary>Each kind once, and each network with each of its troubles: those of boxes beside each other, then the others one after another, each once all have recovered from the last.</summary>
    public async Task StrikeEachOnceAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(sessions.Select((_, number) => BoxesAsync(number, StrikeKinds.OfBoxes.Where((_, place) => place % sessions.Count == number))));
        var striker = new HostStriker(world, sessions, report, new(seed)) { LongestTrouble = ShortTrouble };
        foreach (var kind in StrikeKinds.With(world.Hosts.Count).Except(StrikeKinds.OfBoxes).Order().SelectMany(Repeated))
        {
            var recovery = await striker.StrikeAsync(kind, cancellationToken);
            while (recovery is null) recovery = await striker.StrikeAsync(kind, cancellationToken);
            report.Add(await recovery);
        }

        async Task BoxesAsync(int number, IEnumerable<StrikeKind> kinds)
        {
            var random = new Random(seed + number);
            foreach (var kind in kinds.SelectMany(Repeated))
            {
                while (!await StrikeBoxAsync(sessions[number], kind, random, ShortTrouble, cancellationToken))
                {
                    // Its turn was over in the moment between its words and the strike.
                }
            }
        }

        static IEnumerable<StrikeKind> Repeated(StrikeKind kind) => Enumerable.Repeat(kind, kind is StrikeKind.Network or StrikeKind.BoxLink ? Enum.GetValues<Trouble>().Length : 1);
    }

    /// <summary>Has all sessions sleep until their text is merged, strikes into that, and wakes them.</summary>
    public Task NapAsync(CancellationToken cancellationToken) => new ChaosNap(world, report, sessions, napRandom).PlayAsync(cancellationToken);

    /// <summary>Brings all to rest, archives them, and looks for what must not be.</summary>
    public async Task CheckAsync(EvidenceFolder folder, CancellationToken cancellationToken)
    {
        await Task.WhenAll(sessions.Select(session => session.FinishAsync()));
        using var direct = world.DirectClient();
        await Task.WhenAll(sessions.Select(session => CheckAsync(session, direct, folder, cancellationToken)));
    }

    /// <summary>Leaves what is known of sessions that could not be checked.</summary>
    public void Keep(EvidenceFolder folder)
    {
        foreach (var session in sessions) folder.Keep(session);
    }

    private async Task CheckAsync(LoadedSession session, CoordinatorClient direct, EvidenceFolder folder, CancellationToken cancellationToken)
    {
        List<Finding> found = [];
        if (!await IsSoAsync(() => ChaosWorld.BoxesOf(session.Id).Count <= 1, cancellationToken))
            found.Add(new(FindingKind.OrphanBox, session.Id, $"it has boxes beside its own: {string.Join(", ", ChaosWorld.BoxesOf(session.Id))}"));
        var promptsRun = world.PromptsRun(session.Id);
        await direct.ArchiveAsync(session.Id, cancellationToken);
        if (!await IsSoAsync(() => world.RemainsOf(session.Id).Count == 0, cancellationToken))
            found.Add(new(FindingKind.OrphanBox, session.Id, $"is archived, and there is {string.Join(", ", world.RemainsOf(session.Id))}"));
        var evidence = await session.EvidenceAsync(direct, promptsRun, cancellationToken);
        report.Add(evidence, session.Turns);
        found.AddRange(await MergedReading.OfAsync(direct, evidence, cancellationToken));
        found.AddRange((await world.FlawsAsync(session.Id, evidence.Logs.SelectMany(log => log.Events).Select(e => e.Seq).Append(evidence.Last).Max())).Select(flaw => new Finding(FindingKind.Missing, session.Id, $"in the database {flaw}")));
        found.AddRange([.. session.Findings, .. boxes.Of(session.Id), .. LogCheck.Of(evidence), .. TurnCheck.Of(evidence), .. FailureCheck.Of(evidence)]);
        if (found.Count > 0) folder.Keep(evidence);
        foreach (var finding in found) report.Add(finding);
    }

    public async ValueTask DisposeAsync()
    {
        await boxes.DisposeAsync();
        foreach (var session in sessions) await session.DisposeAsync();
    }

    private async Task BoxLaneAsync(LoadedSession session, StrikeBag kinds, TimeSpan pause, Random random, CancellationToken until, CancellationToken cancellationToken)
    {
        while (await PauseAsync(pause, random, until) && kinds.Take() is { } kind)
            if (!await StrikeBoxAsync(session, kind, random, NetworkTrouble.Longest, cancellationToken)) kinds.PutBack(kind);
    }

    /// <summary>False when there was nothing to strike.</summary>
    private async Task<bool> StrikeBoxAsync(LoadedSession session, StrikeKind kind, Random random, TimeSpan longestTrouble, CancellationToken cancellationToken)
    {
        var strike = kind == StrikeKind.BoxLink
            ? await new LinkStriker(session, linkTroubles, random) { LongestTrouble = longestTrouble }.StrikeAsync(cancellationToken)
            : await new BoxStriker(session).StrikeAsync(kind, cancellationToken);
        if (strike is not null) report.Add(strike);
        return strike is not null;
    }

    /// <summary>Mostly it waits until all have recovered, and sometimes it strikes into the recovery.</summary>
    private async Task HostLaneAsync(StrikeBag kinds, TimeSpan pause, Random random, CancellationToken until, CancellationToken cancellationToken)
    {
        var striker = new HostStriker(world, sessions, report, random);
        List<Task<Strike>> recoveries = [];
        while (await PauseAsync(pause, random, until) && kinds.Take() is { } kind)
        {
            if (await striker.StrikeAsync(kind, cancellationToken) is not { } recovery)
            {
                kinds.PutBack(kind);
                continue;
            }

            recoveries.Add(recovery);
            if (random.Next(4) > 0) await recovery;
        }

        foreach (var strike in await Task.WhenAll(recoveries)) report.Add(strike);
    }

    private static async Task<bool> PauseAsync(TimeSpan longest, Random random, CancellationToken until)
    {
        await Task.Delay(longest * random.NextDouble(), TimeProvider.System, until).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return !until.IsCancellationRequested;
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
