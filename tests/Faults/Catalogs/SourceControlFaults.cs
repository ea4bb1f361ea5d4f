using Coordinator.Modules.Sandboxes.Repositories;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Tests.WalkingSkeleton.World;

namespace Coordinator.Tests.Faults.Catalogs;

public sealed class SourceControlFaults : FaultCatalog<ISourceControl>
{
    private const string Url = "https://git.example/team/app";

    public override IReadOnlyList<Fault> Faults =>
    [
        Detecting("It is down", world => world.Source.Faults.FailBefore(), "Unavailable"),
        Detecting("Its answer is lost", world => world.Source.Faults.LoseResponses(), "Timeout"),
        Detecting("The repository's host does not answer", world => world.Source.SilentHosts.Add("git.example"), "repository_unreachable"),
        Detecting("The repository's host has moved into our own network", world => world.Source.RefusedHosts.Add("git.example"), "repository_host_refused"),
        Detecting("The repository has grown beyond the limit", world => world.Source.MaxFiles = 0, "repository_too_large"),
    ];

    private static Fault Detecting(string name, Action<Skeleton> show, string sees) => new(name, FaultMoment.Beside)
    {
        Show = Fault.By(show),
        Mend = world =>
        {
            world.Source.Faults.Clear();
            world.Source.SilentHosts.Clear();
            world.Source.RefusedHosts.Clear();
            world.Source.MaxFiles = 10;
        },
        Sees = sees,
        Beside = world =>
        {
            world.Source.AddBranch(Url, "main", new string('a', 40), new Dictionary<string, string> { ["package.json"] = "{}" });
            return new(() => DetectAsync(world));
        },
    };

    private static async ValueTask<string> DetectAsync(Skeleton world)
    {
        var tenant = new TenantContext(world.Key.Organization, world.Ada, Role.Member);
        var found = await new DetectEnvironmentHandler(world.Source).Handle(new DetectEnvironment(tenant, Url, null), CancellationToken.None);
        return found.Problem?.Code ?? "ok";
    }
}
