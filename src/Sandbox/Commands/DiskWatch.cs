using System.Diagnostics;
using Coordinator.Sandbox.Boot;

namespace Coordinator.Sandbox.Commands;

/// <summary>
/// Measures what the box's folders hold, and says so when they hold more than they may and still grow: an agent that
/// deletes files to get below the limit must be let do it.
/// </summary>
/// <param name="limit">In bytes; 0 for none.</param>
internal sealed class DiskWatch(IReadOnlyList<string> folders, long limit, Action<long> grewOverLimit, TimeProvider time)
{
    /// <summary>A workspace of many files takes long to count: counting takes a twentieth of the time at most.</summary>
    private const int Rest = 20;
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(10);
    private long used;

    /// <summary>Of the last look.</summary>
    public long UsedBytes => Volatile.Read(ref used);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var since = Stopwatch.GetTimestamp();
            Look();
            var rest = Stopwatch.GetElapsedTime(since) * Rest;
            await Task.Delay(rest > Shortest ? rest : Shortest, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Measures once.</summary>
    public void Look()
    {
        var before = UsedBytes;
        var now = folders.Where(Directory.Exists).Sum(folder => FolderSize.Measure(folder));
        Volatile.Write(ref used, now);
        if (limit > 0 && now > limit && now > before) grewOverLimit(now);
    }
}
