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

    /// <summary>The same until it is over, each time once the one before is done: what was late is made up for.</summary>
    public static async Task RunUntilAsync(int perSecond, TimeProvider time, Func<int, Task> act, CancellationToken over, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        for (var done = 0; !over.IsCancellationRequested; done++)
        {
            await act(done);
            var rest = TimeSpan.FromSeconds((done + 1.0) / perSecond) - Stopwatch.GetElapsedTime(began);
            if (rest > TimeSpan.Zero) await Task.Delay(rest, time, cancellationToken);
        }
    }
}
