using Coordinator.Ports;

namespace Coordinator.Sandbox.Boot;

/// <summary>How a phase ended well: done, or not needed, with a word about it.</summary>
internal sealed record PhaseResult(bool Skipped, string? Detail)
{
    public static PhaseResult Done(string? detail = null) => new(false, detail);

    public static PhaseResult NotNeeded(string detail) => new(true, detail);
}

/// <summary>The ways a boot fails, by their codes (docs/protocol.md, section 2).</summary>
internal static class BootProblems
{
    public static Problem RepositoryNotFound(string detail) => new("repository_not_found", detail);

    public static Problem RepositoryUnreachable(string detail) => new("repository_unreachable", detail);

    public static Problem BranchNotFound(string branch) => new("branch_not_found", $"The repository has no branch '{branch}'. Name one that exists, or leave the branch out.");

    public static Problem RepositoryTooLarge(long limit) =>
        new("repository_too_large", $"The repository is larger than the limit of {limit / 1024 / 1024} MiB, even without its history.");

    public static Problem DiskFull(string command) =>
        new("disk_full", $"{command} was stopped: workspace and home hold more than they may. Use a smaller repository, or have the box given more room.");

    public static Problem AgentStartFailed(string detail) => new("agent_start_failed", detail);
}
