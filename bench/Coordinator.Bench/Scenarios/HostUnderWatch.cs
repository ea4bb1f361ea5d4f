using System.Diagnostics;
using System.Globalization;
using Coordinator.Bench.Driving;
using Coordinator.Bench.Measuring;

namespace Coordinator.Bench.Scenarios;

/// <summary>What a host that has just started took until something was over: CPU time since it began, the most that it held, and the prompts it took.</summary>
internal sealed record Watched(TimeSpan Lasted, double CpuSeconds, double Megabytes, Latencies Prompts);

/// <summary>A host that has just started and has work: somebody prompts a session with a box, one turn after another, and sessions are renamed.</summary>
internal sealed class HostUnderWatch(HostProcess host, ToldSessions told, TimeProvider time)
{
    /// <summary>Of prompts and of new titles in a second, so that it has as much of either however slow it is.</summary>
    private const int Rate = 20;

    /// <summary>Between looks at what it holds, which take the driver some milliseconds for each of its processes.</summary>
    public static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(20);

    /// <summary>Until it is over, which it must be within the bound, or for as long as the bound where nothing ends it.</summary>
    public async Task<Watched> RunAsync(Func<bool>? over, TimeSpan bound, CancellationToken cancellationToken)
    {
        using var ending = new CancellationTokenSource();
        var (began, most, prompting) = (Stopwatch.GetTimestamp(), 0.0, PromptAsync(ending.Token, cancellationToken));
        var renaming = told.RenamePacedAsync(host, Rate, time, ending.Token, cancellationToken);
        for (var looked = began; over is null ? Stopwatch.GetElapsedTime(began) < bound : !over(); await Task.Delay(Moment, time, cancellationToken))
        {
            if (over is not null && Stopwatch.GetElapsedTime(began) > bound) throw new InvalidOperationException($"It was not over in {bound.TotalSeconds} s.");
            if (Stopwatch.GetElapsedTime(looked) < Look) continue;
            most = Math.Max(most, host.Megabytes());
            looked = Stopwatch.GetTimestamp();
        }

        var (lasted, cpu) = (Stopwatch.GetElapsedTime(began), host.CpuSeconds());
        await ending.CancelAsync();
        await renaming;
        return new(lasted, cpu, Math.Max(most, host.Megabytes()), await prompting);
    }

    private async Task<Latencies> PromptAsync(CancellationToken ending, CancellationToken cancellationToken)
    {
        var took = new Latencies();
        await using var turn = await Turn.BeginAsync(host, cancellationToken);
        await turn.EndAsync(cancellationToken);
        await Pace.RunUntilAsync(
            Rate,
            time,
            async i =>
            {
                var prompt = await DispatchLatency.PromptAsync(turn, string.Create(CultureInfo.InvariantCulture, $"p{i}"), cancellationToken);
                took.Add(prompt.Sent, prompt.Arrived);
            },
            ending,
            cancellationToken);
        return took;
    }
}
