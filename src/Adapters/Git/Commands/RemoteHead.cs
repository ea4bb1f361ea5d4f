using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.Git.Commands;

/// <summary>Reads what <c>git ls-remote</c> writes.</summary>
internal static class RemoteHead
{
    private const string Prefix = "refs/heads/";

    /// <summary>The branch asked for, or the one HEAD points to; null when there is none.</summary>
    public static RepositoryState? Parse(string output, string? branch)
    {
        string? head = branch, commit = null;
        var reference = branch is null ? "HEAD" : Prefix + branch;
        foreach (var line in output.Split('\n'))
        {
            var columns = line.Split('\t');
            if (columns.Length != 2 || columns[1] != reference) continue;
            if (columns[0].StartsWith("ref: " + Prefix, StringComparison.Ordinal)) head = columns[0][("ref: " + Prefix).Length..];
            else commit = columns[0];
        }

        return head is null || commit is null ? null : new(head, commit);
    }

    /// <summary>All branches, by name.</summary>
    public static IEnumerable<string> Branches(string output) =>
        output.Split('\n').Select(line => line.Split('\t')).Where(columns => columns.Length == 2 && columns[1].StartsWith(Prefix, StringComparison.Ordinal)).Select(columns => columns[1][Prefix.Length..]).Order(StringComparer.Ordinal);
}
