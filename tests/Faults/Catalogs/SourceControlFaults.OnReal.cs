using Coordinator.Modules.Sandboxes.Repositories;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Tests.Faults.Real;
using Coordinator.Tests.Support.Network;

namespace Coordinator.Tests.Faults.Catalogs;

public sealed partial class SourceControlFaults
{
    private const string Down = "It is down";
    private const string AnswerLost = "Its answer is lost";
    private const string Unreachable = "repository_unreachable";

    public override IReadOnlyList<RealPlay> OnReal =>
    [
        Detecting(RealPlay.Refused(Down, Host), Unreachable),
        Detecting(RealPlay.CutOff(AnswerLost, Host), Unreachable),
        Detecting(RealPlay.CutOff(AnswerLost, Host, afterBytes: 600), Unreachable),
        Detecting(RealPlay.Swallowed("The repository's host does not answer", Host), Unreachable),
        Detecting(RealPlay.Slow("It is slow", Host), "ok"),
        Detecting(RealPlay.Corrupt("Its answer makes no sense", Host, ^1), Unreachable),
    ];

    private static FaultProxy Host(RealOutside outside) => outside.Git;

    private static RealPlay Detecting(RealPlay play, string sees) => play with { Sees = sees, Beside = outside => new(() => DetectAsync(outside)) };

    private static async ValueTask<string> DetectAsync(RealOutside outside)
    {
        var tenant = new TenantContext(outside.World.Key.Organization, outside.World.Ada, Role.Member);
        var source = outside.World.Port<ISourceControl>();
        var found = await new DetectEnvironmentHandler(source).Handle(new DetectEnvironment(tenant, new Uri(outside.Git.Url, "app.git").AbsoluteUri, null), CancellationToken.None);
        return found.Problem?.Code ?? "ok";
    }
}
