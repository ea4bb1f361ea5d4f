using System.Globalization;
using Coordinator.Adapters.LocalSandbox.Layout;

namespace Coordinator.Adapters.LocalSandbox.Launch;

/// <summary>What is bound into one box.</summary>
internal sealed record BoxMounts(string Program, IReadOnlyDictionary<string, string> Agents, string SocketDirectory, BoxFiles Files, string Workspace, string Home);

/// <summary>What the installed bubblewrap can do beyond 0.5; taken from its own help text.</summary>
internal sealed record BubblewrapFeatures(bool DisablesUserNamespaces, bool SizesTmpfs)
{
    public static BubblewrapFeatures Read(string help) =>
        new(help.Contains("--disable-userns", StringComparison.Ordinal), help.Contains("--size ", StringComparison.Ordinal));
}

/// <summary>
/// Writes bubblewrap's command line: every namespace of its own, no network, a read-only system, and nothing to write
/// but the workspace, the home, and a private /tmp of bounded size. It does not die with its parent: boxes outlive the host.
/// </summary>
internal sealed class BubblewrapArguments(SystemFiles systemFiles, BubblewrapFeatures features, LocalSandboxOptions options)
{
    /// <summary>The descriptor that the launching shell opens for the status.</summary>
    public const int StatusDescriptor = 8;

    private const string Agent = "1000";

    /// <summary>These are links into /usr on most systems and directories on some.</summary>
    private static readonly string[] SystemDirectories = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];

    public IReadOnlyList<string> For(BoxMounts mounts)
    {
        List<string> arguments = [.. Namespaces(), .. SystemMounts()];
        foreach (var (source, target) in systemFiles.Binds()) arguments.AddRange(["--ro-bind", source, target]);

        // The host's private keys are not readable there anyhow, unless the host's user is in their group.
        if (Directory.Exists("/etc/ssl/private")) arguments.AddRange(["--tmpfs", "/etc/ssl/private"]);
        foreach (var path in options.ReadOnlyPaths) arguments.AddRange(["--ro-bind-try", path, path]);
        arguments.AddRange(["--symlink", "/tmp", "/var/tmp"]);
        arguments.AddRange(Own(mounts));
        arguments.AddRange(["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", BoxView.Isolated.Workspace, "--"]);
        return arguments;
    }

    /// <summary>The same isolation with nothing in it, to try whether it works on this machine.</summary>
    public IReadOnlyList<string> ForProbe() => [.. Namespaces(), .. SystemMounts(), "--remount-ro", "/", "--"];

    private IEnumerable<string> Namespaces() =>
    [
        "--unshare-all", "--unshare-user", .. features.DisablesUserNamespaces ? ["--disable-userns"] : Array.Empty<string>(),
        "--uid", Agent, "--gid", Agent, "--hostname", "box", "--new-session",
        "--json-status-fd", StatusDescriptor.ToString(CultureInfo.InvariantCulture),
    ];

    private List<string> SystemMounts()
    {
        string[] size = features.SizesTmpfs ? ["--size", options.TmpBytes.ToString(CultureInfo.InvariantCulture)] : [];
        List<string> arguments = ["--ro-bind", "/usr", "/usr"];
        foreach (var directory in SystemDirectories)
        {
            var target = new DirectoryInfo(directory).LinkTarget;
            if (target is not null) arguments.AddRange(["--symlink", target, directory]);
            else if (Directory.Exists(directory)) arguments.AddRange(["--ro-bind", directory, directory]);
        }

        arguments.AddRange(["--proc", "/proc", "--dev", "/dev", .. size, "--tmpfs", "/dev/shm", "--perms", "1777", .. size, "--tmpfs", "/tmp"]);
        return arguments;
    }

    private static List<string> Own(BoxMounts mounts)
    {
        var view = BoxView.Isolated;
        List<string> arguments =
        [
            "--ro-bind", mounts.SocketDirectory, view.HostSocketDirectory,
            "--ro-bind", mounts.Files.Config, view.Config,
            "--ro-bind", mounts.Program, view.Program,
            "--bind", mounts.Home, view.Home,
            "--bind", mounts.Workspace, view.Workspace,
        ];
        foreach (var (name, path) in mounts.Agents) arguments.AddRange(["--ro-bind", path, $"{view.AgentDirectory}/{name}"]);
        return arguments;
    }
}
