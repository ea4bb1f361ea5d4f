using System.Globalization;
using Coordinator.Tests.Chaos.Checks;
using Coordinator.Tests.Support.Hosting;

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
            options.UpgradeFrom?.DemandOtherThan(BuiltPrograms.Find().Host);
        }
        catch (Exception wrong) when (wrong is FormatException or FileNotFoundException)
        {
            await Console.Error.WriteLineAsync($"{wrong.Message}\n\n{ChaosOptions.Usage}");
            return 64;
        }

        var report = new ChaosReport();
        var folder = new EvidenceFolder(string.Create(CultureInfo.InvariantCulture, $"artifacts/chaos/seed-{options.Seed}"));
        await new ChaosRun(options, report, folder).PlayAsync();
        await Console.Out.WriteLineAsync(report.ToString());
        if (report.Findings.Count == 0 && report.Strikes.Count > 0) return 0;
        folder.Keep("report.md", [report.ToString(), .. report.Findings.Select(finding => finding.ToString())]);
        await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"Not all zero, or nothing was struck; the seed was {options.Seed}, and what is known is in {folder.Path}"));
        return 1;
    }
}
