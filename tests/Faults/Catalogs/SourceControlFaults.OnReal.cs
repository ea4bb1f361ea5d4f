using Coordinator.Modules.Sandboxes.Repositories;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Tests.Faults.Real;
using Coordinator.Tests.Support.Network;
using Xunit;

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
        Detecting(RealPlay.Duplicate("It is asked twice", Host), "ok"),
        DetectingPrivate(RealPlay.Done("The organization's credential has expired: it is told, and not repeated", "the host's password is another", outside => outside.Peers.Git.Password = "canary-new-password"), "repository_credential_refused"),
        Growing(RealPlay.Done("The repository has grown beyond the limit", "more files", _ => { })),
        .. PushingOnReal,
    ];

    private static FaultProxy Host(RealOutside outside) => outside.Git;

    private static RealPlay Detecting(RealPlay play, string sees) => play with { Sees = sees, Beside = outside => new(() => DetectAsync(outside)), Holds = HoldsAsync };

    /// <summary>It is another repository that it has become: one cannot shrink again.</summary>
    private static RealPlay Growing(RealPlay play)
    {
        var repository = RealPeers.Repository;
        return Detecting(play, "repository_too_large") with
        {
            Show = _ =>
            {
                repository = RealPeers.LargeRepository;
                return ValueTask.CompletedTask;
            },
            Mend = _ => repository = RealPeers.Repository,
            Beside = outside => new(() => DetectAsync(outside, repository)),
        };
    }

    /// <summary>No git is left running: each of them holds a connection.</summary>
    private static async ValueTask HoldsAsync(RealOutside outside) => await outside.World.UntilAsync("no connection to the repository's host is left", () => outside.Git.Open == 0);

    /// <summary>A repository for those alone who have the organization's password, which the organization keeps.</summary>
    private static RealPlay DetectingPrivate(RealPlay play, string sees) => Detecting(play, sees) with
    {
        Beside = async outside =>
        {
            outside.Peers.Git.Reset();
            await outside.StoreSecretAsync("git/127.0.0.1", outside.Peers.Git.Password);
            return () => DetectAsync(outside, RealPeers.PrivateRepository);
        },
        Mend = outside => outside.Peers.Git.Reset(),
    };

    private static async ValueTask<string> DetectAsync(RealOutside outside, string repository = RealPeers.Repository)
    {
        var tenant = new TenantContext(outside.World.Key.Organization, outside.World.Ada, Role.Member);
        var source = outside.World.Port<ISourceControl>();
        var found = await new DetectEnvironmentHandler(source).Handle(new DetectEnvironment(tenant, new Uri(outside.Git.Url, repository).AbsoluteUri, null), CancellationToken.None);
        Assert.DoesNotContain(outside.Peers.Git.Password, found.Problem?.ToString() ?? "", StringComparison.Ordinal);
        return found.Problem?.Code ?? "ok";
    }
}
