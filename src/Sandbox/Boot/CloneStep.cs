using Coordinator.Ports;
using Coordinator.Sandbox.Bridge;
using Coordinator.Sandbox.Processes;
using Coordinator.Sandbox.Storage;

namespace Coordinator.Sandbox.Boot;

/// <summary>
/// Brings the repository into the workspace: shallow, one branch, without large files, watched for its size and its
/// time. A workspace that an earlier box left with the clone is taken as it is, the agent's changes included; one where
/// a clone was cut off is emptied first.
/// </summary>
internal sealed class CloneStep(BootPlan plan, BoxState state, TimeProvider time)
{
    /// <summary>Stands from before a clone until it is whole.</summary>
    private const string CloningNote = "cloning";
    private const int Attempts = 2;
    private static readonly TimeSpan SizeCheck = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    public async Task<Result<PhaseResult>> RunAsync(Action<string> output, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(plan.Workspace);
        if (state.Read(CloningNote) is not null) Empty();
        if (Directory.Exists(Path.Combine(plan.Workspace, ".git"))) return PhaseResult.NotNeeded("The workspace is there already.");
        if (plan.Settings.Repository is not { } repository) return await InitializeAsync(output, cancellationToken);
        if (Directory.EnumerateFileSystemEntries(plan.Workspace).Any()) return PhaseResult.NotNeeded("The workspace holds files already.");

        using var budget = new CancellationTokenSource(plan.Settings.Limits.CloneBudget, time);
        for (var attempt = 1; ; attempt++)
        {
            var cloned = await CloneAsync(repository, output, budget.Token, cancellationToken);
            if (cloned.Problem is not { Code: "repository_unreachable" } || attempt == Attempts || budget.IsCancellationRequested) return cloned;
            await Task.Delay(Pause, time, cancellationToken);
        }
    }

    private async Task<Result<PhaseResult>> InitializeAsync(Action<string> output, CancellationToken cancellationToken)
    {
        var end = await GitAsync(["init", "--quiet"], output, CancellationToken.None, cancellationToken);
        return end is { Outcome: CommandOutcome.Exited, ExitCode: 0 }
            ? PhaseResult.NotNeeded("An empty workspace, without a repository.")
            : new Problem("workspace_failed", $"git could not prepare the workspace: {end.LastOutput}");
    }

    private async Task<Result<PhaseResult>> CloneAsync(BoxRepository repository, Action<string> output, CancellationToken budget, CancellationToken cancellationToken)
    {
        state.Write(CloningNote, repository.Url);
        using var tooLarge = CancellationTokenSource.CreateLinkedTokenSource(budget, plan.DiskIsFull);
        using var finished = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watching = WatchSizeAsync(tooLarge, finished.Token);
        var end = await GitAsync(Arguments(repository), output, tooLarge.Token, cancellationToken);
        await finished.CancelAsync();
        var exceeded = await watching || FolderSize.Exceeds(plan.Workspace, plan.Settings.Limits.MaxRepositoryBytes);

        if (end is { Outcome: CommandOutcome.Exited, ExitCode: 0 } && !exceeded)
        {
            state.Delete(CloningNote);
            return PhaseResult.Done();
        }

        Empty();
        state.Delete(CloningNote);
        if (plan.DiskIsFull.IsCancellationRequested) return BootProblems.DiskFull($"Cloning {repository.Url}");
        if (exceeded) return BootProblems.RepositoryTooLarge(plan.Settings.Limits.MaxRepositoryBytes);
        if (end.Outcome == CommandOutcome.NotFound) return new Problem("workspace_failed", "There is no git in the box.");
        if (end.Outcome != CommandOutcome.Exited) return BootProblems.RepositoryUnreachable($"Cloning {repository.Url} took longer than {plan.Settings.Limits.CloneBudget.TotalSeconds:0} s.");
        return GitFailure.Classify(end.LastOutput, repository.Url, repository.Branch);
    }

    private static string[] Arguments(BoxRepository repository)
    {
        string[] branch = string.IsNullOrEmpty(repository.Branch) ? [] : ["--branch", repository.Branch];
        return ["clone", "--progress", "--depth", "1", "--single-branch", "--no-tags", .. branch, "--", repository.Url, "."];
    }

    private Task<CommandEnd> GitAsync(IReadOnlyList<string> arguments, Action<string> output, CancellationToken stop, CancellationToken cancellationToken)
    {
        var environment = new Dictionary<string, string>(plan.Tools, StringComparer.Ordinal)
        {
            ["LC_ALL"] = "C",
            ["GIT_ASKPASS"] = "",
            ["GIT_ALLOW_PROTOCOL"] = "https:http:git:file",
        };
        var run = new CommandRun(new CommandSpec("git", arguments, plan.Workspace, environment, plan.Settings.Limits.CloneBudget), output, time);
        return run.RunAsync(stop, cancellationToken);
    }

    /// <summary>Ends the clone when it grows over the limit; true when it did.</summary>
    private async Task<bool> WatchSizeAsync(CancellationTokenSource tooLarge, CancellationToken finished)
    {
        while (!finished.IsCancellationRequested)
        {
            if (FolderSize.Exceeds(plan.Workspace, plan.Settings.Limits.MaxRepositoryBytes))
            {
                await tooLarge.CancelAsync();
                return true;
            }

            await Task.Delay(SizeCheck, time, finished).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return false;
    }

    private void Empty()
    {
        foreach (var entry in new DirectoryInfo(plan.Workspace).EnumerateFileSystemInfos())
        {
            if (entry is DirectoryInfo { LinkTarget: null } folder) folder.Delete(recursive: true);
            else entry.Delete();
        }
    }
}
