using Coordinator.Adapters.LocalSandbox.Launch;
using Coordinator.Adapters.LocalSandbox.Layout;
using Coordinator.Adapters.LocalSandbox.Limits;
using Coordinator.Adapters.LocalSandbox.Linux;

namespace Coordinator.Adapters.LocalSandbox;

/// <summary>
/// What was found out about this machine once: whose processes boxes are, where things lie, what can be limited.
/// <see cref="Bubblewrap"/> is null when boxes run without isolation.
/// </summary>
internal sealed record LocalMachine(string Node, BoxUser User, BoxPaths Paths, IBoxCgroups Cgroups, BubblewrapFeatures? Bubblewrap, string SocketDirectory)
{
    public bool IsIsolated => Bubblewrap is not null;

    public string Description => IsIsolated
        ? $"bubblewrap as uid {User.Uid}, {Cgroups.Description}"
        : $"NO ISOLATION (AllowUnisolated): plain processes as uid {User.Uid}, {Cgroups.Description}";
}
