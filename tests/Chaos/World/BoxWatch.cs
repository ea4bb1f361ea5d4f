using System.Collections.Concurrent;
using System.Globalization;
using System.Text.RegularExpressions;
using Coordinator.Tests.Chaos.Checks;

namespace Coordinator.Tests.Chaos.World;

/// <summary>Looks again and again at which boxes live, as long as it is not disposed.</summary>
internal sealed partial class BoxWatch : IAsyncDisposable
{
    private const string Program = "/opt/coordinator/coordinator-box";
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(500);

    private readonly BoxOverlap overlap = new();
    private readonly ConcurrentQueue<Finding> findings = [];
    private readonly CancellationTokenSource ended = new();
    private readonly Task watching;

    public BoxWatch() => watching = Task.Run(WatchAsync);

    /// <summary>What was found of a session.</summary>
    public IEnumerable<Finding> Of(string session) => findings.Where(finding => finding.Session == session);

    /// <summary>The box whose folders these mounts are of; null for none.</summary>
    public static LiveBox? BoxOf(string mounts) => Folder().Match(mounts) is { Success: true } folder ? new(folder.Groups[1].Value, folder.Groups[2].Value) : null;

    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync();
        await watching;
        ended.Dispose();
    }

    private async Task WatchAsync()
    {
        while (!ended.IsCancellationRequested)
        {
            foreach (var found in overlap.Look(Live())) findings.Enqueue(found);
            await Task.Delay(Between, TimeProvider.System, ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Whose each program of a box is stands in its mounts alone, which are long: no other process's are read.</summary>
    private static IEnumerable<LiveBox> Live() => Directory.EnumerateDirectories("/proc")
        .Where(folder => int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out _) && Read(folder, "cmdline").StartsWith(Program, StringComparison.Ordinal))
        .Select(folder => BoxOf(Read(folder, "mountinfo")))
        .OfType<LiveBox>();

    /// <summary>Empty when the process has ended meanwhile.</summary>
    private static string Read(string folder, string name)
    {
        try
        {
            return File.ReadAllText(Path.Combine(folder, name));
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return string.Empty;
        }
    }

    [GeneratedRegex("/sessions/(ses_[0-9a-z]+)/boxes/(box_[0-9a-z]+)/")]
    private static partial Regex Folder();
}
