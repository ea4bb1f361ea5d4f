using System.Globalization;
using Coordinator.Tests.Chaos.Checks;
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
        await PlayAsync(options, report);
        await Console.Out.WriteLineAsync(report.ToString());
        if (report.Findings.Count == 0 && report.Strikes.Count > 0) return 0;
        await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"Not all zero, or nothing was struck; the seed was {options.Seed}."));
        return 1;
    }

    private static async Task PlayAsync(ChaosOptions options, ChaosReport report)
    {
        await SayAsync($"Seed {options.Seed}: {options.Sessions} sessions, {options.Hosts} hosts, {options.Length.TotalMinutes:0.#} minutes.");
        var world = await ChaosWorld.StartAsync(options.Hosts);
        try
        {
            await PlayAsync(options, world, report);
        }
        catch (Exception broken)
        {
            report.Add(new Finding(FindingKind.Broken, "all", broken.ToString()));
        }

        try
        {
            await world.DisposeAsync();
        }
        catch (Exception left)
        {
            report.Add(new Finding(FindingKind.Broken, "all", left.ToString()));
        }
    }

    private static async Task PlayAsync(ChaosOptions options, ChaosWorld world, ChaosReport report)
    {
        var began = TimeProvider.System.GetTimestamp();
        for (var round = 1; round == 1 || TimeProvider.System.GetElapsedTime(began) < options.Length; round++)
        {
            var seed = options.Seed + (round * 10_000);
            await using var played = await ChaosRound.StartAsync(world, report, options.Sessions, seed, CancellationToken.None);
            using var time = new CancellationTokenSource(options.Round, TimeProvider.System);
            await played.StrikeAsync(options.Kinds, seed, time.Token, CancellationToken.None);
            await played.CheckAsync(CancellationToken.None);
            await SayAsync($"Round {round}, {TimeProvider.System.GetElapsedTime(began).TotalMinutes:0.0} min: {report.Strikes.Count} strikes, {report.Findings.Count} findings.");
        }
    }

    private static Task SayAsync(FormattableString line) => Console.Error.WriteLineAsync(line.ToString(CultureInfo.InvariantCulture));
}
