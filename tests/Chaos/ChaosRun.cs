using System.Globalization;
using Coordinator.Tests.Chaos.Checks;
using Coordinator.Tests.Chaos.Strikes;
using Coordinator.Tests.Chaos.World;

namespace Coordinator.Tests.Chaos;

/// <summary>Rounds until it is time: all in one world, or where upgrades are played each in one of its own, since a world is upgraded once.</summary>
internal sealed class ChaosRun(ChaosOptions options, ChaosReport report, EvidenceFolder folder)
{
    private readonly StrikeBag ofBoxes = new(options.Kinds.Intersect(StrikeKinds.OfBoxes), options.Strikes, new(options.Seed));
    private readonly StrikeBag ofAll = new(options.Kinds.Except(StrikeKinds.OfBoxes), options.Strikes, new(options.Seed + 1));
    private readonly long began = TimeProvider.System.GetTimestamp();
    private int rounds;
    private bool isBroken;

    private bool IsOver => isBroken || TimeProvider.System.GetElapsedTime(began) >= options.Length || (ofBoxes.IsEmpty && ofAll.IsEmpty);

    /// <summary>Plays to the end; what speaks against it is in the report.</summary>
    public async Task PlayAsync()
    {
        await SayAsync($"Seed {options.Seed}: {options.Sessions} sessions, {options.Hosts} hosts, {options.Length.TotalMinutes:0.#} minutes, {string.Join(", ", options.Kinds)}.");
        if (options.UpgradeFrom is { } older) await SayAsync($"Upgrades from {older.Host.Program}.");
        do await PlayWorldAsync();
        while (!IsOver);
        report.Close();
    }

    private async Task PlayWorldAsync()
    {
        var (first, before) = (rounds + 1, report.Findings.Count);
        ChaosWorld? world = null;
        try
        {
            world = await ChaosWorld.StartAsync(options.Hosts, merges: options.Naps > 0, options.UpgradeFrom);
            do await PlayRoundAsync(world);
            while (options.UpgradeFrom is null && !IsOver);
        }
        catch (Exception broken)
        {
            Break(broken);
        }

        if (world is null) return;
        if (world.Upgraded is { } upgraded) report.Add(upgraded);
        if (report.Findings.Count > before) world.Keep(folder.Within(string.Create(CultureInfo.InvariantCulture, $"world-of-round-{first}")));
        try
        {
            await world.DisposeAsync();
        }
        catch (Exception left)
        {
            Break(left);
        }
    }

    private async Task PlayRoundAsync(ChaosWorld world)
    {
        rounds++;
        await using var played = await ChaosRound.StartAsync(world, report, options.Sessions, options.Seed + (rounds * 10_000), CancellationToken.None);
        try
        {
            for (var naps = 0; naps <= options.Naps; naps++)
            {
                if (naps > 0) await played.NapAsync(CancellationToken.None);
                using var time = new CancellationTokenSource(options.Round, TimeProvider.System);
                await played.StrikeAsync(ofBoxes, ofAll, options.Pause, time.Token, CancellationToken.None);
            }

            if (options.Kinds.Contains(StrikeKind.Drain)) await played.UpgradeRestAsync(CancellationToken.None);
            await played.CheckAsync(folder, CancellationToken.None);
        }
        catch (Exception)
        {
            played.Keep(folder);
            throw;
        }

        await SayAsync($"Round {rounds}, {TimeProvider.System.GetElapsedTime(began).TotalMinutes:0.0} min: {string.Join(", ", report.Strikes.CountBy(strike => strike.Kind).OrderBy(kind => kind.Key).Select(kind => $"{kind.Key} {kind.Value}"))}; {report.Findings.Count} findings.");
    }

    private void Break(Exception problem)
    {
        isBroken = true;
        report.Add(new Finding(FindingKind.Broken, "all", problem.ToString()));
    }

    private static Task SayAsync(FormattableString line) => Console.Error.WriteLineAsync(line.ToString(CultureInfo.InvariantCulture));
}
