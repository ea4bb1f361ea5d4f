using Coordinator.Adapters.LocalSandbox.Layout;

namespace Coordinator.Adapters.LocalSandbox.Launch;

/// <summary>Where a box finds its things, by the paths that hold inside it.</summary>
internal sealed record BoxView(string Program, string Config, string HostSocketDirectory, string Workspace, string Home, string AgentDirectory)
{
    /// <summary>An isolated box sees the same paths whatever the host's are.</summary>
    public static BoxView Isolated { get; } = new(
        "/opt/coordinator/coordinator-box",
        "/run/coordinator/box.json",
        "/run/coordinator/host",
        "/workspace",
        "/home/agent",
        "/opt/coordinator");

    /// <summary>A box without isolation sees the host's own paths.</summary>
    public static BoxView Unisolated(BoxPaths paths, BoxAddress box, string program, string socketDirectory) => new(
        program,
        paths.Of(box).Config,
        socketDirectory,
        paths.WorkspaceOf(box.Session),
        paths.HomeOf(box.Session),
        string.Empty);

    public string Endpoint => $"unix:{Path.Combine(HostSocketDirectory, HostSocket.FileName)}";

    public string State => Path.Combine(Home, ".coordinator");
}
