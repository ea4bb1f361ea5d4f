using System.Globalization;
using Coordinator.Adapters.LocalSandbox.Linux;
using Coordinator.Ports;

namespace Coordinator.Adapters.LocalSandbox.Launch;

/// <summary>
/// Gives the boxes' user a path to programs. What lies where that user cannot go (below <c>/root</c>, say) is copied
/// once to <c>{SharedDirectory}/{hash of the path}/{size and time}/</c>; a newer file is copied anew and the older copy
/// goes, which boxes that run it do not notice.
/// </summary>
internal sealed class ProgramStaging(LocalSandboxOptions options, SystemCommand commands)
{
    private const UnixFileMode Readable =
        UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    private readonly Lock copying = new();

    /// <summary>A path of the program that <paramref name="user"/> can read and run.</summary>
    /// <exception cref="PortException"><see cref="PortFailureKind.Rejected"/>: the file is not there.</exception>
    public async ValueTask<string> StageAsync(string path, BoxUser user, CancellationToken cancellationToken)
    {
        var source = new FileInfo(Path.GetFullPath(path));
        if (source.Exists && source.ResolveLinkTarget(returnFinalTarget: true) is FileInfo target) source = target;
        if (!source.Exists) throw new PortException(PortFailureKind.Rejected, $"{path} does not exist; build it or correct the setting in {LocalSandboxOptions.Section}.");
        if (await CanRunAsync(source.FullName, user, cancellationToken)) return source.FullName;
        lock (copying) return Copy(source);
    }

    /// <summary>True when the user can enter the directory.</summary>
    public async ValueTask<bool> CanEnterAsync(string directory, BoxUser user, CancellationToken cancellationToken) =>
        !user.IsDropped || (await RunAsAsync(user, ["test", "-x", directory], cancellationToken)).IsSuccess;

    private async ValueTask<bool> CanRunAsync(string file, BoxUser user, CancellationToken cancellationToken) =>
        (await RunAsAsync(user, ["test", "-r", file, "-a", "-x", file], cancellationToken)).IsSuccess;

    private ValueTask<CommandAnswer> RunAsAsync(BoxUser user, string[] command, CancellationToken cancellationToken) =>
        commands.RunAsync(user.Prefix[0], user.Prefix.Skip(1).Concat(command), cancellationToken);

    private string Copy(FileInfo source)
    {
        var versions = Path.Combine(options.SharedDirectory, HostSocket.NameFor(source.FullName));
        var version = Path.Combine(versions, string.Create(CultureInfo.InvariantCulture, $"{source.Length}-{source.LastWriteTimeUtc.Ticks}"));
        var copy = Path.Combine(version, source.Name);
        if (File.Exists(copy)) return copy;
        MakeReadable(options.SharedDirectory);
        MakeReadable(versions);
        MakeReadable(version);
        var next = $"{copy}.{Environment.ProcessId}.next";
        source.CopyTo(next, overwrite: true);
        File.SetUnixFileMode(next, Readable);
        File.Move(next, copy, overwrite: true);
        foreach (var older in Directory.EnumerateDirectories(versions).Where(directory => directory != version)) Directory.Delete(older, recursive: true);
        return copy;
    }

    private static void MakeReadable(string directory)
    {
        Directory.CreateDirectory(directory);
        File.SetUnixFileMode(directory, Readable | UnixFileMode.UserWrite);
    }
}
