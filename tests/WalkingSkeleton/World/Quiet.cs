using System.Diagnostics;

namespace Coordinator.Tests.WalkingSkeleton.World;

/// <summary>
/// Waits until nothing in the process works any more, so that virtual time is moved only over a world at rest and a
/// deadline never overtakes work that is under way. Bounded: a world that never rests is moved on all the same.
/// </summary>
internal static class Quiet
{
    private const int CalmLooks = 4;
    private const int RestlessLimit = 20;

    // A box writes to a real disk: on a machine that is busy with other things one flush may take this long.
    private static readonly TimeSpan Bound = TimeSpan.FromMilliseconds(150);

    private static int resting = int.MaxValue;
    private static int restless;

    public static void Settle()
    {
        var began = Stopwatch.GetTimestamp();
        var least = int.MaxValue;
        for (var calm = 0; calm < CalmLooks && Stopwatch.GetElapsedTime(began) < Bound;)
        {
            var busy = Working();
            least = Math.Min(least, busy);
            resting = Math.Min(resting, busy);
            calm = busy <= resting && ThreadPool.PendingWorkItemCount == 0 ? calm + 1 : 0;
            Thread.Yield();
        }

        // The runner's own threads come and go: what was not undercut for long is what rest looks like now.
        restless = Stopwatch.GetElapsedTime(began) < Bound ? 0 : restless + 1;
        if (restless < RestlessLimit) return;
        (resting, restless) = (least, 0);
    }

    /// <summary>Pool threads that run something, the caller's own left out.</summary>
    private static int Working()
    {
        ThreadPool.GetMaxThreads(out var most, out _);
        ThreadPool.GetAvailableThreads(out var free, out _);
        return most - free - (Thread.CurrentThread.IsThreadPoolThread ? 1 : 0);
    }
}
