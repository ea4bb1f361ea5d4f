using System.Globalization;
using Coordinator.Tests.Chaos.Checks;
using Coordinator.Tests.Chaos.Strikes;
using Coordinator.Tests.Chaos.World;

namespace Coordinator.Tests.Chaos;

/// <summary>The long form, from the command line.</summary>
internal static class Program
{
    public static async Task<int> Main(string[] arguments)
    {
        ChaosOptions options;
        try
        {
            options = ChaosOptions.Parse(arguments, TimeProvider.System);
        }
        catch (FormatException wrong)
        {
            await Console.Error.WriteLineAsync($"{wrong.Message}\n\n{ChaosOptions.Usage}");
            return 64;
        }

        var report = new ChaosReport();
        var folder = new EvidenceFolder(string.Create(CultureInfo.InvariantCulture, $"artifacts/chaos/seed-{options.Seed}"));
        await PlayAsync(options, report, folder);
        await Console.Out.WriteLineAsync(report.ToString());
        if (report.Findings.Count == 0 && report.Strikes.Count > 0) return 0;
        folder.Keep("report.md", [report.ToString(), .. report.Findings.Select(finding => finding.ToString())]);
        await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"Not all zero, or nothing was struck; the seed was {options.Seed}, and what is known is in {folder.Path}"));
        return 1;
    }

    private static async Task PlayAsync(ChaosOptions options, ChaosReport report, EvidenceFolder folder)
    {
        await SayAsync($"Seed {options.Seed}: {options.Sessions} sessions, {options.Hosts} hosts, {options.Length.TotalMinutes:0.#} minutes, {string.Join(", ", options.Kinds)}.");
        var world = await ChaosWorld.StartAsync(options.Hosts, merges: options.Naps > 0);
        try
        {
            await PlayAsync(options, world, report, folder);
        }
        catch (Exception broken)
        {
            report.Add(new Finding(FindingKind.Broken, "all", broken.ToString()));
        }

        if (report.Findings.Count > 0) world.Keep(folder);
        try
        {
            await world.DisposeAsync();
        }
        catch (Exception left)
        {
            report.Add(new Finding(FindingKind.Broken, "all", left.ToString()));
        }
    }

    private static async Task PlayAsync(ChaosOptions options, ChaosWorld world, ChaosReport report, EvidenceFolder folder)
    {
        var began = TimeProvider.System.GetTimestamp();
        var ofBoxes = new StrikeBag(options.Kinds.Intersect(StrikeKinds.OfBoxes), options.Strikes, new(options.Seed));
        var ofAll = new StrikeBag(options.Kinds.Except(StrikeKinds.OfBoxes), options.Strikes, new(options.Seed + 1));
        for (var round = 1; round == 1 || (TimeProvider.System.GetElapsedTime(began) < options.Length && !(ofBoxes.IsEmpty && ofAll.IsEmpty)); round++)
        {
            var seed = options.Seed + (round * 10_000);
            await using var played = await ChaosRound.StartAsync(world, report, options.Sessions, seed, CancellationToken.None);
            try
            {
                for (var naps = 0; naps <= options.Naps; naps++)
                {
                    if (naps > 0) await played.NapAsync(CancellationToken.None);
                    using var time = new CancellationTokenSource(options.Round, TimeProvider.System);
                    await played.StrikeAsync(ofBoxes, ofAll, options.Pause, time.Token, CancellationToken.None);
                }

                await played.CheckAsync(folder, CancellationToken.None);
            }
            catch (Exception)
            {
                played.Keep(folder);
                throw;
            }

            await SayAsync($"Round {round}, {TimeProvider.System.GetElapsedTime(began).TotalMinutes:0.0} min: {string.Join(", ", report.Strikes.CountBy(strike => strike.Kind).OrderBy(kind => kind.Key).Select(kind => $"{kind.Key} {kind.Value}"))}; {report.Findings.Count} findings.");
        }
    }

    private static Task SayAsync(FormattableString line) => Console.Error.WriteLineAsync(line.ToString(CultureInfo.InvariantCulture));
}
