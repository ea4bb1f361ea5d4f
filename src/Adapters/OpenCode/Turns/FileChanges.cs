using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.OpenCode.Turns;

/// <summary>
/// Makes one change per edit of two sources that report it: the edit itself, which does not say whether the file is
/// new, and the file watcher, which does but need not run. An edit waits for the watcher's word until its tool ends.
/// </summary>
internal sealed class FileChanges(string workspace)
{
    /// <summary>A build writes thousands of files; beyond so many, changes by others than the agent's tools say nothing.</summary>
    private const int MaxWatched = 500;

    private readonly string root = workspace.TrimEnd('/') + "/";
    private readonly HashSet<string> edits = new(StringComparer.Ordinal);
    private readonly Dictionary<string, FileChange> told = new(StringComparer.Ordinal);
    private int watched;

    public void Edited(string? file, List<AgentUpdate> updates)
    {
        if (Relative(file) is not { } path || edits.Add(path)) return;
        Tell(path, FileChange.Modified, updates); // the edit before this one found no watcher
    }

    public void Watched(string? file, string? happened, List<AgentUpdate> updates)
    {
        if (Relative(file) is not { } path || Kind(happened) is not { } change) return;
        if (edits.Remove(path))
        {
            Tell(path, change, updates);
            return;
        }

        var known = told.TryGetValue(path, out var last) && (last == change || (last == FileChange.Created && change == FileChange.Modified));
        if (known || IsBuildOutput(path) || watched >= MaxWatched) return;
        watched++;
        Tell(path, change, updates);
    }

    /// <summary>A tool has ended: the watcher had its chance.</summary>
    public void Flush(List<AgentUpdate> updates)
    {
        foreach (var path in edits) Tell(path, FileChange.Modified, updates);
        edits.Clear();
    }

    /// <summary>A tool says that it made a file that was not there.</summary>
    public void Created(string? file, List<AgentUpdate> updates)
    {
        if (Relative(file) is { } path && edits.Remove(path)) Tell(path, FileChange.Created, updates);
    }

    private void Tell(string path, FileChange change, List<AgentUpdate> updates)
    {
        told[path] = change;
        updates.Add(new AgentUpdate.FileChanged(path, change));
    }

    private string? Relative(string? file) =>
        file is null ? null
        : !file.StartsWith('/') ? file
        : file.StartsWith(root, StringComparison.Ordinal) && file.Length > root.Length ? file[root.Length..]
        : null;

    private static FileChange? Kind(string? happened) => happened switch
    {
        "add" => FileChange.Created,
        "change" => FileChange.Modified,
        "unlink" => FileChange.Deleted,
        _ => null,
    };

    private static bool IsBuildOutput(string path) =>
        path.StartsWith(".git/", StringComparison.Ordinal) || path.Split('/').Contains("node_modules", StringComparer.Ordinal);
}
