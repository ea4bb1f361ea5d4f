using System.Diagnostics;

namespace Coordinator.Bench.Measuring;

/// <summary>Durations of one kind, in milliseconds.</summary>
internal sealed class Latencies
{
    private readonly List<double> milliseconds = [];

    public int Count => milliseconds.Count;

    public void Add(long from, long to) => milliseconds.Add(Stopwatch.GetElapsedTime(from, to).TotalMilliseconds);

    public void Add(Latencies others) => milliseconds.AddRange(others.milliseconds);

    /// <summary>What one of these and one of the others take in a row, as they came.</summary>
    public Latencies Then(Latencies others)
    {
        var both = new Latencies();
        both.milliseconds.AddRange(milliseconds.Zip(others.milliseconds, (one, other) => one + other));
        return both;
    }

    public double Percentile(double percent)
    {
        if (milliseconds.Count == 0) return double.NaN;
        var ordered = milliseconds.Order().ToList();
        return ordered[Math.Min(ordered.Count - 1, (int)(ordered.Count * percent / 100))];
    }
}
