using System.Diagnostics;

namespace Coordinator.Bench.Measuring;

/// <summary>Durations of one kind, in milliseconds.</summary>
internal sealed class Latencies
{
    private readonly List<double> milliseconds = [];

    public int Count => milliseconds.Count;

    public double Seconds => milliseconds.Sum() / 1_000;

    /// <summary>Does one thing so many times in a row, then the next as often, and all of it in so many turns, so that each meets the same machine; what each took.</summary>
    public static async Task<Latencies[]> InTurnsAsync(int turns, int times, params Func<Task>[] acts)
    {
        var all = acts.Select(_ => new Latencies()).ToArray();
        for (var turn = 0; turn < turns; turn++)
            foreach (var (act, latencies) in acts.Zip(all))
                for (var i = 0; i < times; i++) await latencies.TakeAsync(act);
        return all;
    }

    /// <summary>Does something once more.</summary>
    public async Task TakeAsync(Func<Task> act)
    {
        var began = Stopwatch.GetTimestamp();
        await act();
        Add(began, Stopwatch.GetTimestamp());
    }

    public void Add(long from, long to) => milliseconds.Add(Stopwatch.GetElapsedTime(from, to).TotalMilliseconds);

    public void Add(Latencies others) => milliseconds.AddRange(others.milliseconds);

    /// <summary>What one of these and one of the others take in a row, as they came.</summary>
    public Latencies Then(Latencies others)
    {
        var both = new Latencies();
        both.milliseconds.AddRange(milliseconds.Zip(others.milliseconds, (one, other) => one + other));
        return both;
    }

    /// <summary>How fast these are against a limit that took turns with them: 1 is as fast.</summary>
    public double RateAgainst(Latencies limit) => Ratio.OfTurns(limit.milliseconds, milliseconds);

    /// <summary>The limit of these, which took turns with them, and how many times as long these take.</summary>
    public IEnumerable<Measurement> Beside(Latencies limit, string area, string name, params int[] percents)
    {
        foreach (var percent in percents)
        {
            yield return new(area, $"limit, {name}: p{percent}", limit.Percentile(percent), "ms");
            yield return new(area, $"against {name}: p{percent}", Percentile(percent) / limit.Percentile(percent), "times");
        }
    }

    public double Percentile(double percent)
    {
        if (milliseconds.Count == 0) return double.NaN;
        var ordered = milliseconds.Order().ToList();
        return ordered[Math.Min(ordered.Count - 1, (int)(ordered.Count * percent / 100))];
    }
}
