using Microsoft.Extensions.DependencyInjection;

namespace Coordinator.Tests.WalkingSkeleton.World;

/// <summary>What is real outside of a world: adapters in the place of its fakes, and what they talk to.</summary>
public interface IOutside : IAsyncDisposable
{
    /// <summary>Starts what the adapters talk to, once, before anything of the world is composed.</summary>
    Task StartAsync(Skeleton world);

    /// <summary>Registers the adapters over the world's fakes; for every host that the world starts.</summary>
    void AddAdapters(IServiceCollection services);
}
