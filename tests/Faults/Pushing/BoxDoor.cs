using Coordinator.Modules.Sandboxes.Repositories;
using Coordinator.Ports.Compute;
using Coordinator.Tests.Support.Http;
using Coordinator.Tests.WalkingSkeleton.World;

namespace Coordinator.Tests.Faults.Pushing;

/// <summary>The host's route for git credentials, over HTTP, before a world's sessions and source control.</summary>
internal static class BoxDoor
{
    public static Task<LoopbackServer> OpenAsync(Skeleton world) => LoopbackServer.StartAsync(app => new GetGitCredential(world.Host, world.Port<ISourceControl>()).Map(app));
}
