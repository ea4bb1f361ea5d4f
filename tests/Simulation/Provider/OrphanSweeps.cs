using Coordinator.Modules.Sandboxes;
using Coordinator.Modules.Sandboxes.Provisioning;
using Coordinator.Tests.Simulation.Hosts;
using Coordinator.Tests.Simulation.Mutations;
using Coordinator.Tests.Simulation.World;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Coordinator.Tests.Simulation.Provider;

/// <summary>The real sweep, once a minute on one host while its process lives.</summary>
internal sealed class OrphanSweeps(SimWorld world, SimHost host)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    /// <summary>A process begins: it remembers nothing of the one before.</summary>
    public void Begin()
    {
        if (world.Mutation == Mutation.NoSweep) return;
        var sweep = new OrphanSweep(host.Provider, host.Sessions, world.Tokens, Settings, host.Time, NullLogger<OrphanSweep>.Instance);
        Next();

        void Next() => host.After(Interval, () => host.Await(sweep.SweepAsync(CancellationToken.None), _ => Next()));
    }

    public static IOptions<SandboxesOptions> Settings { get; } = Options.Create(new SandboxesOptions { Deployment = "simulation" });
}
