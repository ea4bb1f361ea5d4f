namespace Coordinator.Ports.Compute;

/// <summary>What git takes for the name of a branch (<c>git check-ref-format</c>); anything else cannot be there.</summary>
public static class BranchName
{
    private const int LongestName = 250;
    private const string Forbidden = " ~^:?*[\\";

    /// <summary>True when a branch may be called so.</summary>
    public static bool IsValid(string name) =>
        name.Length is > 0 and <= LongestName
        && !name.Any(c => char.IsControl(c) || Forbidden.Contains(c, StringComparison.Ordinal))
        && name[0] is not ('-' or '/')
        && name[^1] is not ('/' or '.')
        && !name.Contains("..", StringComparison.Ordinal)
        && !name.Contains("//", StringComparison.Ordinal)
        && !name.Contains("@{", StringComparison.Ordinal)
        && !name.Split('/').Any(part => part.StartsWith('.') || part.EndsWith(".lock", StringComparison.Ordinal));
}
