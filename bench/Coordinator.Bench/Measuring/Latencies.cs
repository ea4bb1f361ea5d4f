using System.Diagnostics;

namespace Coordinator.Bench.Measuring;

/// <summary>Durations of one kind, in milliseconds.</summary>
internal sealed class Latencies
{
    private readonly List<double> milliseconds = [];

    public int Count => milliseconds.Count;

    public void Add(long from, long to) => milliseconds.Add(Stopwatch.GetElapsedTime(from, to).TotalMilliseconds);

    public void Add(Latencies others) => milliseconds.AddRange(others.milliseconds);

    public double Percentile(double percent)
    {
        if (milliseconds.Count == 0) return double.NaN;
        milliseconds.Sort();
        return milliseconds[Math.Min(milliseconds.Count - 1, (int)(milliseconds.Count * percent / 100))];
    }
}
