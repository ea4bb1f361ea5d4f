using System.Diagnostics;

namespace Coordinator.Tests.Support.Hosting;

/// <summary>What a process wrote: always read, so that it never waits for a reader, and kept for assertions and failure messages.</summary>
internal sealed class ProcessOutput
{
    private const int MostLines = 50_000;

    private readonly Lock gate = new();
    private readonly Queue<string> lines = new();
    private readonly List<(Func<string, bool> Fits, TaskCompletionSource<string> Found)> watches = [];

    public string Text
    {
        get
        {
            lock (gate) return string.Join('\n', lines);
        }
    }

    /// <summary>Completes with the first line from now on that fits.</summary>
    public Task<string> Watch(Func<string, bool> fits)
    {
        var found = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (gate) watches.Add((fits, found));
        return found.Task;
    }

    /// <summary>Ends when both streams have; a child that inherited them may keep them open.</summary>
    public Task DrainAsync(Process process) => Task.WhenAll(DrainAsync(process.StandardOutput), DrainAsync(process.StandardError));

    public string Last(int count)
    {
        lock (gate) return string.Join('\n', lines.TakeLast(count));
    }

    private async Task DrainAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line) Add(line);
    }

    private void Add(string line)
    {
        lock (gate)
        {
            lines.Enqueue(line);
            if (lines.Count > MostLines) lines.Dequeue();
            foreach (var (_, found) in watches.Where(watch => watch.Fits(line))) found.TrySetResult(line);
            watches.RemoveAll(watch => watch.Found.Task.IsCompleted);
        }
    }
}
