using Coordinator.Ports;

namespace Coordinator.Adapters.LocalSandbox.Launch;

/// <summary>
/// The whole environment of a box. It is made here from nothing: no variable of the host passes, whatever its name.
/// </summary>
internal static class BoxEnvironment
{
    /// <summary>Tells processes of a box without isolation from all others.</summary>
    public const string Marker = "COORDINATOR_SANDBOX";

    /// <summary>Tells the programs of a box that they are found by their environment, which they must not hide.</summary>
    public const string Unisolated = "COORDINATOR_UNISOLATED=1";

    /// <summary>Agents run their commands in it; bash where there is one, because that is what models write for.</summary>
    public static string Shell { get; } = File.Exists("/bin/bash") ? "/bin/bash" : "/bin/sh";

    private const string Certificates = "/etc/ssl/certs/ca-certificates.crt";

    /// <summary>What a process of this box has in its environment.</summary>
    public static string MarkOf(SandboxId sandbox) => $"{Marker}={sandbox}";

    public static IReadOnlyList<string> For(BoxView view, SandboxId sandbox)
    {
        List<string> environment =
        [
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            $"HOME={view.Home}",
            "USER=agent",
            "LOGNAME=agent",
            $"SHELL={Shell}",
            "LANG=C.UTF-8",
            "TERM=dumb",
            "TMPDIR=/tmp",
            "NO_PROXY=127.0.0.1,localhost",
            "no_proxy=127.0.0.1,localhost",
            "GIT_AUTHOR_NAME=Coordinator agent",
            "GIT_AUTHOR_EMAIL=agent@coordinator.invalid",
            "GIT_COMMITTER_NAME=Coordinator agent",
            "GIT_COMMITTER_EMAIL=agent@coordinator.invalid",
            "GIT_TERMINAL_PROMPT=0",
            // The runtime's diagnostics would let the box's tools look into the program in the box.
            "DOTNET_EnableDiagnostics=0",
            MarkOf(sandbox),
        ];

        if (view != BoxView.Isolated) environment.Add(Unisolated);

        // Programs that carry their own list of authorities (Node, Python, Bun) would not know one that the machine adds.
        if (File.Exists(Certificates)) environment.AddRange([$"SSL_CERT_FILE={Certificates}", $"NODE_EXTRA_CA_CERTS={Certificates}"]);
        return environment;
    }
}
