using System.CommandLine;
using Coordinator.Cli.Doctor;
using Coordinator.Cli.Journey;
using Coordinator.Client;
using Spectre.Console;

namespace Coordinator.Cli.Commands;

/// <summary><c>coordinator doctor</c>: looks at the machine and the host and says what is wrong and what to do. Changes nothing.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        var url = CommonOptions.Url();
        var key = CommonOptions.Key();
        var root = new Option<string>("--root") { DefaultValueFactory = _ => Directory.GetCurrentDirectory(), Description = "The folder Coordinator was cloned to." };
        var command = new Command("doctor", "Check this machine and the host; changes nothing.") { url, key, root };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var host = Credentials.UrlFrom(parsed.GetValue(url));
            List<Finding> findings = [.. await LocalChecks.RunAsync(host, parsed.GetValue(root)!, cancellationToken), .. await HostChecks.RunAsync(host, cancellationToken)];
            findings.Add(await BoxesAsync(parsed.GetValue(url), parsed.GetValue(key), cancellationToken));
            foreach (var finding in findings) Print(finding);
            return findings.Exists(f => f.Health == Health.Bad) ? 1 : 0;
        });
        return command;
    }

    private static async Task<Finding> BoxesAsync(string? url, string? key, CancellationToken cancellationToken)
    {
        try
        {
            using var client = Credentials.Connect(url, key);
            return await HostChecks.StaleBoxesAsync(client, SessionProcesses.SessionsWithBoxes(), cancellationToken);
        }
        catch (CoordinatorException e)
        {
            return new("boxes", Health.Warning, "not checked", e.Message);
        }
    }

    private static void Print(Finding finding)
    {
        var (mark, color) = finding.Health switch
        {
            Health.Good => ("✓", "green"),
            Health.Warning => ("!", "yellow"),
            _ => ("✗", "red"),
        };
        Terminal.Out.MarkupLineInterpolated($"[{color}]{mark}[/] {finding.Name}: {finding.Detail}");
        if (finding.Advice is not null) Terminal.Out.MarkupLineInterpolated($"    [grey]{finding.Advice}[/]");
    }
}
