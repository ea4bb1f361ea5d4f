using Coordinator.Adapters.Git.Addresses;
using Coordinator.Adapters.Git.Commands;
using Coordinator.Ports;
using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.Git.Trees;

/// <summary>
/// Fetches the newest commit of a branch, without history and without large files, into a temporary bare repository, and
/// reads it there.
/// </summary>
internal sealed class TreeReader(GitCommand git, GitOptions options, TimeProvider time)
{
    private const int LongestContent = 256 * 1024;
    private const int MostContents = 500;

    /// <summary>A repository that does not pretend to be able to fetch what was left out.</summary>
    private const string PlainConfiguration = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n";

    private static readonly TimeSpan SizeCheckPeriod = TimeSpan.FromMilliseconds(250);

    public async Task<Result<RepositoryTree>> ReadAsync(RemoteRepository remote, RepositoryState state, Func<string, bool> wanted, CancellationToken cancellationToken)
    {
        using var temporary = new TemporaryRepository();
        await EnsureAsync(new(temporary.Path, ["init", "--quiet", "--bare", "."]), cancellationToken);
        if (await FetchAsync(temporary, remote, state, cancellationToken) is { } problem) return problem;
        await File.WriteAllTextAsync(Path.Combine(temporary.Path, "config"), PlainConfiguration, cancellationToken);

        var listed = await git.RunAsync(new(temporary.Path, ["ls-tree", "-r", "-z", "FETCH_HEAD"]), output => TreeListing.ReadAsync(output, options.MaxFiles, cancellationToken), cancellationToken);
        if (listed.Output is not { } files) return TooLarge($"it has more than {options.MaxFiles} files");
        var commit = await EnsureAsync(new(temporary.Path, ["rev-parse", "--verify", "FETCH_HEAD^{commit}"]), cancellationToken);
        var picked = files.Where(file => file.IsText && wanted(file.Path)).Take(MostContents).ToArray();
        var call = new GitCall(temporary.Path, ["cat-file", "--batch"], Input: string.Concat(picked.Select(file => file.ObjectId + "\n")));
        var contents = await git.RunAsync(call, output => TreeListing.ReadContentsAsync(output, picked, LongestContent, cancellationToken), cancellationToken);
        return new RepositoryTree(state.Branch, commit.Trim(), [.. files.Select(file => file.Path)], contents.Output);
    }

    private async Task<Problem?> FetchAsync(TemporaryRepository temporary, RemoteRepository remote, RepositoryState state, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var call = new GitCall(
            temporary.Path,
            ["fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--filter=blob:limit=1m", "--", remote.Url.Text, $"refs/heads/{state.Branch}"],
            remote.Host.CurlResolve,
            remote.Credential);
        var fetching = git.RunAsync(call, limit.Token);
        var isTooLarge = await WatchSizeAsync(temporary, fetching, limit);
        try
        {
            var outcome = await fetching;
            if (isTooLarge) return FetchTooLarge();
            return outcome.ExitCode == 0 ? null : GitFailure.Explain(outcome.Errors, remote.Url, remote.Credential is not null);
        }
        catch (OperationCanceledException) when (isTooLarge)
        {
            return FetchTooLarge();
        }
    }

    private Problem FetchTooLarge() => TooLarge($"its newest commit is above {options.MaxFetchBytes / 1024 / 1024} MiB");

    /// <summary>Looks at the size until the fetch is over; ends it, and says so, when it is too large.</summary>
    private async Task<bool> WatchSizeAsync(TemporaryRepository temporary, Task fetching, CancellationTokenSource limit)
    {
        using var timer = new PeriodicTimer(SizeCheckPeriod, time);
        while (!fetching.IsCompleted)
        {
            var tick = timer.WaitForNextTickAsync(CancellationToken.None).AsTask();
            await Task.WhenAny(fetching, tick);
            if (temporary.Size() <= options.MaxFetchBytes) continue;
            await limit.CancelAsync();
            return true;
        }

        return temporary.Size() > options.MaxFetchBytes;
    }

    private async Task<string> EnsureAsync(GitCall call, CancellationToken cancellationToken)
    {
        var outcome = await git.RunAsync(call, cancellationToken);
        return outcome.ExitCode == 0
            ? outcome.Output
            : throw new PortException(PortFailureKind.Corrupt, $"{call} ended with {outcome.ExitCode} in a temporary repository.");
    }

    private static Problem TooLarge(string why) => new("repository_too_large", $"The repository is too large to be looked into: {why}.", ProblemKind.TooLarge);
}
