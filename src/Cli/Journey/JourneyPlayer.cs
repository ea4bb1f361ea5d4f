using System.Diagnostics;
using Coordinator.Client;

namespace Coordinator.Cli.Journey;

/// <summary>Plays the journey against a host, check by check.</summary>
public static class JourneyPlayer
{
    /// <summary>Every check is played, and reported through <paramref name="report"/> as it ends; a failed one does not stop the rest.</summary>
    public static async Task<IReadOnlyList<JourneyResult>> PlayAsync(CoordinatorClient client, JourneyOptions options, Action<JourneyResult> report, CancellationToken cancellationToken)
    {
        await using var run = new JourneyRun(client, options);
        List<JourneyResult> results = [];
        foreach (var check in JourneyChecks.All)
        {
            var began = Stopwatch.GetTimestamp();
            string? problem = null;
            try
            {
                await check.Play(run, cancellationToken);
            }
            catch (Exception e) when (e is JourneyException or CoordinatorException or HttpRequestException)
            {
                problem = e.Message;
            }

            var result = new JourneyResult(check.Number, check.Sentence, Stopwatch.GetElapsedTime(began), problem);
            results.Add(result);
            report(result);
        }

        return results;
    }
}
