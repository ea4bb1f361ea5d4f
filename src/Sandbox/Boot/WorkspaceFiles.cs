using Coordinator.Ports.Compute;
using Coordinator.Sandbox.Processes;

namespace Coordinator.Sandbox.Boot;

/// <summary>Looks at the clone as discovery wants it: git says which files are the repository's own.</summary>
internal sealed class WorkspaceFiles(BootPlan plan, TimeProvider time)
{
    private const int MaxPaths = 200_000;
    private const int MaxContentBytes = 256 * 1024;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(Configuration.BoxBudgets.DiscoverSeconds);

    public async Task<DetectedEnvironment> DiscoverAsync(CancellationToken cancellationToken)
    {
        var listing = await GitAsync(["ls-files", "-z", "--cached", "--others", "--exclude-standard"], cancellationToken);
        var paths = listing.Split('\0', StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal).Take(MaxPaths).ToArray();
        var contents = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var path in paths.Where(EnvironmentDiscovery.Wants))
        {
            if (Read(path) is { } text) contents[path] = text;
        }

        var commit = (await GitAsync(["rev-parse", "--verify", "--quiet", "HEAD"], cancellationToken)).Trim();
        return EnvironmentDiscovery.Discover(paths, contents, commit.Length == 0 ? null : commit);
    }

    /// <summary>What git printed; nothing when it failed: an empty workspace has no files and no commit.</summary>
    private async Task<string> GitAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var output = new System.Text.StringBuilder();
        var spec = new CommandSpec("git", arguments, plan.Workspace, plan.Tools, Timeout);
        var end = await new CommandRun(spec, text => Gather(output, text), time).RunAsync(CancellationToken.None, cancellationToken);
        return end is { Outcome: CommandOutcome.Exited, ExitCode: 0 } ? output.ToString() : "";
    }

    private static void Gather(System.Text.StringBuilder output, string text)
    {
        lock (output) output.Append(text);
    }

    /// <summary>A regular file's beginning; null for a link, which could lead anywhere.</summary>
    private string? Read(string path)
    {
        try
        {
            var file = new FileInfo(Path.Combine(plan.Workspace, path));
            if (!file.Exists || file.LinkTarget is not null) return null;
            using var stream = file.OpenRead();
            var buffer = new byte[Math.Min(stream.Length, MaxContentBytes)];
            var read = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            return System.Text.Encoding.UTF8.GetString(buffer, 0, read);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
