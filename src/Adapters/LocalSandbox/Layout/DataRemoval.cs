using Coordinator.Adapters.LocalSandbox.Linux;
using Coordinator.Ports;

namespace Coordinator.Adapters.LocalSandbox.Layout;

/// <summary>
/// Takes directories that boxes wrote away: trees deeper than a path may be long, directories without write permission,
/// links that lead elsewhere (never followed).
/// </summary>
internal sealed class DataRemoval(BoxPaths paths, SystemCommand commands, TimeProvider time)
{
    /// <summary>Moves a directory out of sight at once; <see cref="EmptyAsync"/> deletes it. Null when there was none.</summary>
    public string? MoveAway(string directory)
    {
        if (!Directory.Exists(directory)) return null;
        var target = Path.Combine(paths.Trash, PrefixedId.Format("del", PrefixedId.NewValue(time)));
        Directory.Move(directory, target);
        return target;
    }

    /// <exception cref="PortException">It could not be deleted; it stays in the trash and is tried again at the next start.</exception>
    public async ValueTask EmptyAsync(string directory, CancellationToken cancellationToken)
    {
        var removed = await commands.RunAsync("rm", ["-rf", "--one-file-system", "--", directory], cancellationToken);
        if (removed.IsSuccess) return;

        // A box may have taken its own right to write from a directory (package caches do): give it back, then again.
        await commands.RunAsync("chmod", ["-R", "u+rwX", "--", directory], cancellationToken);
        removed = await commands.RunAsync("rm", ["-rf", "--one-file-system", "--", directory], cancellationToken);
        if (!removed.IsSuccess) throw new PortException(PortFailureKind.Unavailable, $"Data of a box could not be deleted: {removed.Error}.", effectMayHaveHappened: true);
    }

    /// <summary>Deletes what an earlier process left in the trash.</summary>
    public async ValueTask EmptyTrashAsync(CancellationToken cancellationToken)
    {
        foreach (var entry in Directory.EnumerateDirectories(paths.Trash)) await EmptyAsync(entry, cancellationToken);
    }
}
