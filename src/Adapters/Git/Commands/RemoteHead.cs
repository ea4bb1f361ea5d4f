using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.Git.Commands;

/// <summary>Reads what <c>git ls-remote --symref</c> writes.</summary>
internal static class RemoteHead
{
    private const string Branches = "refs/heads/";

    /// <summary>The branch asked for, or the one HEAD points to; null when there is none.</summary>
    public static RepositoryState? Parse(string output, string? branch)
    {
        string? head = branch, commit = null;
        var reference = branch is null ? "HEAD" : Branches + branch;
        foreach (var line in output.Split('\n'))
        {
            var columns = line.Split('\t');
            if (columns.Length != 2 || columns[1] != reference) continue;
            if (columns[0].StartsWith("ref: " + Branches, StringComparison.Ordinal)) head = columns[0][("ref: " + Branches).Length..];
            else commit = columns[0];
        }

        return head is null || commit is null ? null : new(head, commit);
    }
}
