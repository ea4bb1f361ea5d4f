using System.Security.Cryptography;
using System.Text;
using Coordinator.Adapters.LocalSandbox.Launch;
using Coordinator.Adapters.LocalSandbox.Layout;
using Coordinator.Adapters.LocalSandbox.Limits;
using Coordinator.Adapters.LocalSandbox.Linux;
using Coordinator.Ports;
using Microsoft.Extensions.Options;

namespace Coordinator.Adapters.LocalSandbox;

/// <summary>Gets the machine ready for boxes, once; a failed try is tried again by the next caller.</summary>
internal sealed class LocalMachineSetup(IOptions<LocalSandboxOptions> options, SystemCommand commands, BoxUsers users, ProgramStaging staging) : IDisposable
{
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode Passable = Owner | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
    private const string CgroupMount = "/sys/fs/cgroup";

    private readonly LocalSandboxOptions options = options.Value;
    private readonly SemaphoreSlim one = new(1, 1);
    private volatile LocalMachine? machine;

    /// <exception cref="PortException"><see cref="PortFailureKind.Rejected"/>: a setting or a missing program, with what to do.</exception>
    public async ValueTask<LocalMachine> ReadyAsync(CancellationToken cancellationToken)
    {
        if (machine is { } ready) return ready;
        await one.WaitAsync(cancellationToken);
        try
        {
            return machine ??= await PrepareAsync(cancellationToken);
        }
        finally
        {
            one.Release();
        }
    }

    /// <summary>
    /// Null when a box can be started in isolation right now; otherwise why not. It starts an empty one, because
    /// bubblewrap can be installed and yet be forbidden to work.
    /// </summary>
    public async ValueTask<string?> WhyNoIsolationAsync(BoxUser user, BubblewrapFeatures features, BoxPaths paths, CancellationToken cancellationToken)
    {
        if (SystemCommand.Locate(options.Bubblewrap) is not { } program) return $"{options.Bubblewrap} is not installed";
        var arguments = new BubblewrapArguments(new(paths), features, options).ForProbe();
        IEnumerable<string> command = [.. user.Prefix, "env", "-i", program, .. arguments, "/usr/bin/true"];
        var answer = await commands.RunAsync("sh", ["-c", $"exec \"$@\" {BubblewrapArguments.StatusDescriptor}>/dev/null", "sh", .. command], cancellationToken);
        return answer.IsSuccess ? null : $"{options.Bubblewrap} does not work here ({LastLine(answer.Error)})";
    }

    public void Dispose() => one.Dispose();

    private async ValueTask<LocalMachine> PrepareAsync(CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux()) throw new PortException(PortFailureKind.Rejected, "Local boxes need Linux; configure another sandbox provider.");
        var user = await users.ResolveAsync(options.User, cancellationToken);
        var paths = await PathsAsync(user, cancellationToken);
        var features = await IsolationAsync(user, paths, cancellationToken);
        var cgroups = options.Cgroups == CgroupUse.Off ? new NoCgroups() : CgroupDetection.Detect(CgroupMount, options.CgroupName);
        new SystemFiles(paths).Prepare();
        var sockets = HostSocket.DirectoryFor(options);
        HostSocket.Admit(sockets, user);
        foreach (var program in options.Agents.Values.Prepend(options.BoxProgram)) await staging.StageAsync(program, user, cancellationToken);
        return new(NodeOf(paths), user, paths, cgroups, features, sockets);
    }

    private async ValueTask<BoxPaths> PathsAsync(BoxUser user, CancellationToken cancellationToken)
    {
        var root = Path.GetFullPath(options.DataDirectory);
        MakePassable(root);
        if (!await staging.CanEnterAsync(root, user, cancellationToken))
        {
            root = Path.Combine(options.SharedDirectory, HostSocket.NameFor(root), "sandboxes");
            MakePassable(root);
            if (!await staging.CanEnterAsync(root, user, cancellationToken))
                throw new PortException(PortFailureKind.Rejected, $"{LocalSandboxOptions.Section}:DataDirectory and :SharedDirectory both lie where uid {user.Uid} cannot go.");
        }

        var paths = new BoxPaths(root);
        MakePassable(paths.Sessions);
        MakePassable(paths.Etc);
        Directory.CreateDirectory(paths.LockDirectory, Owner);
        Directory.CreateDirectory(paths.Trash, Owner);
        return paths;
    }

    private async ValueTask<BubblewrapFeatures?> IsolationAsync(BoxUser user, BoxPaths paths, CancellationToken cancellationToken)
    {
        var features = SystemCommand.Locate(options.Bubblewrap) is { } program
            ? BubblewrapFeatures.Read((await commands.RunAsync(program, ["--help"], cancellationToken)).Output)
            : new(false, false);
        var reason = await WhyNoIsolationAsync(user, features, paths, cancellationToken);
        if (reason is null) return features;
        if (options.AllowUnisolated) return null;
        throw new PortException(
            PortFailureKind.Rejected,
            $"Boxes cannot be isolated: {reason}. Install bubblewrap (Debian, Ubuntu: apt-get install bubblewrap), or set {LocalSandboxOptions.Section}:AllowUnisolated=true to let agents run with no isolation at all.");
    }

    private string NodeOf(BoxPaths paths)
    {
        if (options.Node.Length > 0) return options.Node;
        if (!File.Exists(paths.Node))
        {
            var made = $"{Environment.MachineName}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}";
            AtomicFile.Write(paths.Node, Encoding.UTF8.GetBytes(made), AtomicFile.OwnerOnly);
        }

        return File.ReadAllText(paths.Node).Trim();
    }

    private static void MakePassable(string directory)
    {
        Directory.CreateDirectory(directory);
        File.SetUnixFileMode(directory, Passable);
    }

    private static string LastLine(string text) => text.Split('\n')[^1].Trim();
}
