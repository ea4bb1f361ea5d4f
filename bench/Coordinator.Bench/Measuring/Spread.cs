using System.Diagnostics;

namespace Coordinator.Bench.Measuring;

/// <summary>How moments lie: how long from the first to the last, and the most of them within any tenth of a second.</summary>
internal sealed record Spread(double Seconds, int Most)
{
    private const double Within = 0.1; // s

    public static Spread Of(IEnumerable<long> moments)
    {
        var ordered = moments.Order().ToList();
        var (first, most) = (0, 0);
        for (var last = 0; last < ordered.Count; last++)
        {
            while (Stopwatch.GetElapsedTime(ordered[first], ordered[last]).TotalSeconds > Within) first++;
            most = Math.Max(most, last - first + 1);
        }

        return new(Stopwatch.GetElapsedTime(ordered[0], ordered[^1]).TotalSeconds, most);
    }
}
