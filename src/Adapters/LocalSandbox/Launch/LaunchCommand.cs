using System.Globalization;
using Coordinator.Adapters.LocalSandbox.Layout;
using Coordinator.Adapters.LocalSandbox.Limits;
using Coordinator.Adapters.LocalSandbox.Linux;
using Coordinator.Ports.Compute;

namespace Coordinator.Adapters.LocalSandbox.Launch;

/// <summary>
/// The command line of a box, from the host's own rights down to the program inside: a session of its own, a shell that
/// waits for the word, the boxes' user, an empty environment, the isolation, limits, the program.
/// </summary>
internal static class LaunchCommand
{
    /// <summary>
    /// The shell waits for a line before it runs anything; when the host dies instead of sending it, the pipe ends and so
    /// does the shell. So nothing ever runs that is not written down.
    /// </summary>
    private const string Isolated = "read -r word || exit 75; log=$1; status=$2; shift 2; exec \"$@\" </dev/null >>\"$log\" 2>&1 8>\"$status\"";

    /// <summary>Without isolation nothing else writes the status: the shell stays and does.</summary>
    private const string Plain = """
        read -r word || exit 75; log=$1; status=$2; shift 2
        "$@" </dev/null >>"$log" 2>&1 &
        printf '{ "child-pid": %d }\n' $! >"$status"
        wait $!
        printf '{ "exit-code": %d }\n' $? >>"$status"
        """;

    public static IReadOnlyList<string> ForIsolated(LocalMachine machine, string bubblewrap, IReadOnlyList<string> arguments, BoxFiles files, BoxRecord record, SandboxResources limits) =>
    [
        "sh", "-c", Isolated, "sh", files.Log, files.Status,
        .. machine.User.Prefix, "env", "-i", .. BoxEnvironment.For(BoxView.Isolated, record.Sandbox),
        bubblewrap, .. arguments,
        .. Limits(machine.Cgroups, limits), .. Program(BoxView.Isolated),
    ];

    public static IReadOnlyList<string> ForPlain(LocalMachine machine, BoxView view, BoxFiles files, BoxRecord record, SandboxResources limits) =>
    [
        "sh", "-c", Plain, "sh", files.Log, files.Status,
        .. machine.User.Prefix, "env", "-i", "-C", view.Workspace, .. BoxEnvironment.For(view, record.Sandbox),
        .. Limits(machine.Cgroups, limits, countsOthers: !machine.User.IsDropped), .. Program(view),
    ];

    /// <summary>
    /// Limits that hold per process, and the number of processes where no control group counts them. Outside a
    /// namespace that number counts the user's other processes too, so it is not set for an ordinary user there.
    /// </summary>
    private static IEnumerable<string> Limits(IBoxCgroups cgroups, SandboxResources limits, bool countsOthers = false)
    {
        yield return "prlimit";
        yield return "--core=0:0";
        yield return string.Create(CultureInfo.InvariantCulture, $"--fsize={limits.DiskBytes}:{limits.DiskBytes}");
        if (!cgroups.LimitsProcesses && !countsOthers) yield return string.Create(CultureInfo.InvariantCulture, $"--nproc={limits.Processes}:{limits.Processes}");
        yield return "--";
    }

    private static IEnumerable<string> Program(BoxView view) => [view.Program, "run", "--config", view.Config];
}
