using System.Threading.Channels;
using Coordinator.Adapters.LocalSandbox.Layout;
using Coordinator.Adapters.LocalSandbox.Linux;
using Coordinator.Ports;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Coordinator.Adapters.LocalSandbox;

/// <summary>
/// Takes directories that boxes wrote away: trees deeper than a path may be long, directories without write permission,
/// links that lead elsewhere (never followed). They are out of sight at once, and deleted beside everything else: when one
/// was moved away, at the host's start, and every minute what is left, so that nobody waits for a million files.
/// </summary>
internal sealed partial class DataRemoval(LocalMachineSetup setup, SystemCommand commands, TimeProvider time, ILogger<DataRemoval> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    /// <summary>What is left of a tree after that is the next round's, so that one does not keep others waiting for ever.</summary>
    private static readonly TimeSpan LongestForOne = TimeSpan.FromMinutes(10);

    private readonly Channel<bool> wanted = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Moves a directory out of sight, to be deleted soon. Nothing when there is none.</summary>
    public void MoveAway(BoxPaths paths, string directory)
    {
        if (!Directory.Exists(directory)) return;
        Directory.Move(directory, Path.Combine(paths.Trash, PrefixedId.Format("del", PrefixedId.NewValue(time))));
        wanted.Writer.TryWrite(true);
    }

    /// <summary>One round: deletes what was moved away, by whichever process. What cannot be deleted keeps no other from it.</summary>
    public async ValueTask EmptyAsync(CancellationToken cancellationToken)
    {
        var machine = await setup.ReadyAsync(cancellationToken);
        foreach (var directory in Directory.GetDirectories(machine.Paths.Trash))
        {
            try
            {
                await DeleteAsync(directory, cancellationToken);
            }
            catch (PortException failure)
            {
                LogNotDeleted(directory, failure);
            }
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                wanted.Reader.TryRead(out _);
                await EmptyAsync(stoppingToken);
            }
            catch (Exception e) when (e is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
            {
                LogRoundFailed(e);
            }

            using var rest = new CancellationTokenSource(Interval, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(rest.Token, stoppingToken);
            await ((Task)wanted.Reader.WaitToReadAsync(either.Token).AsTask()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async ValueTask DeleteAsync(string directory, CancellationToken cancellationToken)
    {
        if ((await RunAsync("rm", ["-rf", "--one-file-system", "--", directory], cancellationToken)).IsSuccess) return;

        // A box may have taken its own right to write from a directory (package caches do): give it back, then again.
        await RunAsync("chmod", ["-R", "u+rwX", "--", directory], cancellationToken);
        var removed = await RunAsync("rm", ["-rf", "--one-file-system", "--", directory], cancellationToken);
        if (!removed.IsSuccess) throw new PortException(PortFailureKind.Unavailable, $"Data of a box could not be deleted: {removed.Error}.", effectMayHaveHappened: true);
    }

    private ValueTask<CommandAnswer> RunAsync(string program, IEnumerable<string> arguments, CancellationToken cancellationToken) => commands.RunAsync(program, arguments, cancellationToken, LongestForOne);

    [LoggerMessage(5241, LogLevel.Warning, "{Directory}, which a box left, could not be deleted; it is tried again in a minute.")]
    private partial void LogNotDeleted(string directory, Exception failure);

    [LoggerMessage(5242, LogLevel.Error, "What boxes left could not be deleted; it is tried again in a minute.")]
    private partial void LogRoundFailed(Exception failure);
}
