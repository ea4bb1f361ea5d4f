namespace Coordinator.Sandbox.Configuration;

/// <summary>
/// How long each step of a boot may take when the control plane does not say otherwise. Their sum must stay well below
/// the control plane's deadline over the whole boot (15 minutes), so that the step that was too slow is what is
/// reported, and never a bare timeout of the whole.
/// </summary>
internal static class BoxBudgets
{
    public const int CloneSeconds = 300;
    public const int InstallSeconds = 480;
    public const int AgentStartSeconds = 60;

    /// <summary>Looking at the files takes no network; this only guards against a file system that hangs.</summary>
    public const int DiscoverSeconds = 15;

    public const long RepositoryBytes = 2L * 1024 * 1024 * 1024;

    public const int LonelySeconds = 30 * 60;
}
