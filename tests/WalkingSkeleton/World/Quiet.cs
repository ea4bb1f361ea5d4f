using System.Collections.Concurrent;
using System.Diagnostics;

namespace Coordinator.Tests.WalkingSkeleton.World;

/// <summary>
/// Waits until nothing in the process works any more, so that virtual time is moved only over a world at rest and a
/// deadline never overtakes work that is under way: no thread of the pool runs anything, and none has anything to run. Who
/// waits for a disk or for its share of a busy machine still has its thread, and is waited for. Work that is done elsewhere,
/// by another process, is counted by whoever has it done (<see cref="Skeleton.WorkAsync"/>). The runner does what goes on in a
/// test's own context on threads that nobody counts, so whatever a world has to wait for is begun in the pool.
/// </summary>
internal static class Quiet
{
    private const int CalmLooks = 4;

    /// <summary>So many looks without a pause: most often the world is at rest after these.</summary>
    private const int QuickLooks = 2_000;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(1);

    /// <summary>A pause that was not much longer than it was meant to be: whoever wanted to run then could.</summary>
    private static readonly TimeSpan Prompt = TimeSpan.FromMilliseconds(20);

    /// <summary>
    /// After so many prompt pauses a thread that is busy still is the runner's own, which came to stay: rest looks otherwise from
    /// then on. Pauses are counted and not time, so that a busy machine, which lets nobody run, does not use it up.
    /// </summary>
    private const int PromptPauses = 2_000;

    /// <summary>And at the latest after this.</summary>
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    private static readonly Lazy<BlockingCollection<TaskCompletionSource>> Watcher = new(StartWatcher);

    private static int resting = int.MaxValue;

    public static Task SettleAsync()
    {
        for (int calm = 0, look = 0; look < QuickLooks; look++)
        {
            calm = IsCalm(Working()) ? calm + 1 : 0;
            if (calm >= CalmLooks) return Task.CompletedTask;
            Thread.Yield();
        }

        var settled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Watcher.Value.Add(settled);
        return settled.Task;
    }

    /// <summary>
    /// Whoever looks again and again from the pool wakes it each time, and on a busy machine what he woke is still there at his next look.
    /// So the patient looks are taken from a thread that is none of the pool's.
    /// </summary>
    private static BlockingCollection<TaskCompletionSource> StartWatcher()
    {
        var asked = new BlockingCollection<TaskCompletionSource>();
        new Thread(() =>
        {
            foreach (var settled in asked.GetConsumingEnumerable())
            {
                WatchUntilCalm();
                settled.SetResult();
            }
        })
        { IsBackground = true, Name = "rest of the world" }.Start();
        return asked;
    }

    private static void WatchUntilCalm()
    {
        using var never = new ManualResetEvent(false);
        var began = Stopwatch.GetTimestamp();
        var (least, prompt) = (int.MaxValue, 0);
        for (var calm = 0; calm < CalmLooks;)
        {
            var busy = Working();
            least = Math.Min(least, busy);
            calm = IsCalm(busy) ? calm + 1 : 0;
            var asked = Stopwatch.GetTimestamp();
            never.WaitOne(Pause);
            if (Stopwatch.GetElapsedTime(asked) < Prompt) prompt++;
            if (prompt < PromptPauses && Stopwatch.GetElapsedTime(began) < Bound) continue;
            (resting, prompt, began) = (least, 0, Stopwatch.GetTimestamp());
        }
    }

    private static bool IsCalm(int busy)
    {
        resting = Math.Min(resting, busy);
        return busy <= resting && ThreadPool.PendingWorkItemCount == 0;
    }

    /// <summary>Pool threads that run something, the caller's own left out.</summary>
    private static int Working()
    {
        ThreadPool.GetMaxThreads(out var most, out _);
        ThreadPool.GetAvailableThreads(out var free, out _);
        return most - free - (Thread.CurrentThread.IsThreadPoolThread ? 1 : 0);
    }
}
