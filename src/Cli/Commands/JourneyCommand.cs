using System.CommandLine;
using Coordinator.Cli.Journey;
using Coordinator.Client;

namespace Coordinator.Cli.Commands;

/// <summary><c>coordinator journey</c>: proves a host end to end, with the demo model and a real agent in a real box.</summary>
internal static class JourneyCommand
{
    public static Command Create()
    {
        var model = new Option<string>("--model") { DefaultValueFactory = _ => "demo/scripted", Description = "The model to ask; the checks expect the demo's answers." };
        var repository = new Option<string?>("--repository") { Description = "A Node repository that boxes may clone; default: the host's sample." };
        var pidFile = new Option<string?>("--host-pid-file") { Description = "Where the host writes its process id, for the check that kills it (data/host.pid)." };
        var start = new Option<string?>("--host-start") { Description = "The command that starts the host again." };
        var command = new Command("journey", "Prove a host end to end.") { model, repository, pidFile, start };
        command.SetClientAction(async (parsed, client, cancellationToken) =>
        {
            var source = new Repository(parsed.GetValue(repository) ?? SampleRepository(client.Url));
            var host = parsed.GetValue(pidFile) is { } file && parsed.GetValue(start) is { } again ? new ProcessHostControl(file, again) : null;
            var results = await JourneyPlayer.PlayAsync(client, new(parsed.GetValue(model)!, source, host, client.Url.IsLoopback), Print, cancellationToken);
            Terminal.Line($"{results.Count(r => r.Problem is null)} of {results.Count}");
            return results.All(r => r.Problem is null) ? 0 : 1;
        });
        return command;
    }

    /// <summary>The demo repository as boxes and the host itself reach it.</summary>
    public static string SampleRepository(Uri host) => $"http://demo.coordinator.internal:{host.Port}/demo/repositories/node-sample.git";

    private static void Print(JourneyResult result) =>
        Terminal.Line($"{(result.Problem is null ? "✓" : "✗")} {result.Number,2} {result.Sentence} ({result.Time.TotalMilliseconds:0} ms){(result.Problem is null ? string.Empty : $"\n     {result.Problem}")}");
}
