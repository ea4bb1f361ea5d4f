using System.Diagnostics;

namespace Coordinator.Bench.Driving;

/// <summary>Does something a given number of times at a steady rate: what is due is done at once, however late its moment was noticed.</summary>
internal static class Pace
{
    public static async Task RunAsync(int perSecond, int count, TimeProvider time, Func<int, ValueTask> act, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        for (var done = 0; done < count;)
        {
            var due = Math.Min(count, (int)(Stopwatch.GetElapsedTime(began).TotalSeconds * perSecond) + 1);
            while (done < due) await act(done++);
            if (done < count) await Task.Delay(TimeSpan.FromMilliseconds(1), time, cancellationToken);
        }
    }
}
