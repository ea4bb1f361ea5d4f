using System.Diagnostics;
using Coordinator.Client;

namespace Coordinator.Cli.Journey;

/// <summary>Plays the journey against a host, check by check.</summary>
public static class JourneyPlayer
{
    /// <summary>The longest one check may take, whatever it waits for.</summary>
    private static readonly TimeSpan CheckLimit = TimeSpan.FromMinutes(3);

    /// <summary>Every check is played, and reported through <paramref name="report"/> as it ends; a failed one does not stop the rest.</summary>
    public static async Task<IReadOnlyList<JourneyResult>> PlayAsync(CoordinatorClient client, JourneyOptions options, Action<JourneyResult> report, CancellationToken cancellationToken)
    {
        await using var run = new JourneyRun(client, options);
        List<JourneyResult> results = [];
        foreach (var check in JourneyChecks.All)
        {
            var result = await PlayAsync(check, run, CheckLimit, cancellationToken);
            results.Add(result);
            report(result);
        }

        return results;
    }

    /// <summary>One check, which ends at its limit even when what it waits for does not heed a cancellation.</summary>
    internal static async Task<JourneyResult> PlayAsync(JourneyCheck check, JourneyRun run, TimeSpan limit, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        bound.CancelAfter(limit);
        string? problem = null;
        run.Step = "its first step";
        try
        {
            await check.Play(run, bound.Token).WaitAsync(bound.Token);
        }
        catch (OperationCanceledException) when (bound.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            problem = $"expected the check to end within {limit.TotalSeconds:0.#} s; it still waited for {run.Step}";
        }
        catch (Exception e) when (e is JourneyException or CoordinatorException or HttpRequestException)
        {
            problem = e.Message;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            problem = $"{e.GetType().Name} while waiting for {run.Step}: {e.Message}";
        }

        return new(check.Number, check.Sentence, Stopwatch.GetElapsedTime(began), problem);
    }
}
