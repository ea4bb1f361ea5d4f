namespace Coordinator.Sandbox.Processes;

/// <summary>
/// Keeps everything that starts below this program below it, whatever forks and forgets, so that nothing of the box
/// outlives it, isolated or not.
/// </summary>
internal static class ProcessFamily
{
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    /// <summary>From now on a process whose parent ends becomes a child of this program.</summary>
    public static void AdoptOrphans() => Signals.BecomeSubreaper();

    /// <summary>Asks every descendant of a process to end, and ends those that do not.</summary>
    public static async Task EndAsync(int root, TimeProvider time)
    {
        if (await EndsAsync(root, Signal.Terminate, time)) return;
        await EndsAsync(root, Signal.Kill, time);
    }

    private static async Task<bool> EndsAsync(int root, Signal signal, TimeProvider time)
    {
        var family = ProcessTable.Descendants(ProcessTable.Read(), root).ToArray();
        ToolProcesses.SignalLiving(family, signal);
        var since = time.GetTimestamp();
        while (ToolProcesses.AnyLives(family))
        {
            if (time.GetElapsedTime(since) > Grace) return false;
            await Task.Delay(Look, time);
        }

        return true;
    }
}
