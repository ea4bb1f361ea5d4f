using Coordinator.Modules.Sandboxes.Repositories;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Tests.WalkingSkeleton.World;
using Xunit;

namespace Coordinator.Tests.Faults.Catalogs;

public sealed partial class SourceControlFaults : FaultCatalog<ISourceControl>
{
    private const string Url = "https://git.example/team/app";
    private const string Password = "canary-password";

    public override IReadOnlyList<Fault> Faults =>
    [
        Detecting(GeneralFault.Unavailable, "It is down", world => world.Source.Faults.FailBefore(), "Unavailable"),
        Detecting(GeneralFault.Slow, "It is slow", world => world.Source.Faults.Slow(TimeSpan.FromSeconds(10), world.Time), "ok"),
        Detecting(GeneralFault.Duplicate, "It is asked twice", world => world.Source.Faults.Duplicate(), "ok"),
        Detecting(GeneralFault.CorruptAnswer, "Its answer makes no sense", world => world.Source.Faults.CorruptResponses(), "Corrupt"),
        Detecting(GeneralFault.StaleCredential, "The organization's credential has expired: it is told, and not repeated", world => world.Source.ChangePassword(Url, "new-password"), "repository_credential_refused"),
        Detecting(null, "It is asked too often: that is told, and not taken for an absent repository", world => world.Source.Faults.FailBefore(PortFailureKind.Limited), "Limited"),
        .. Pushing,
        new("It opened a pull request and its answer was lost: there is no second one", FaultMoment.Beside)
        {
            Show = Fault.By(world => world.Source.Faults.LoseResponses()),
            Mend = world => world.Source.Faults.Clear(),
            Sees = "Timeout",
            Beside = OpenAsync,
            Holds = world =>
            {
                Assert.Equal(1, world.Source.OpenPullRequests);
                return ValueTask.CompletedTask;
            },
        },
        Detecting(GeneralFault.LostAnswer, "Its answer is lost", world => world.Source.Faults.LoseResponses(), "Timeout"),
        Detecting(null, "The repository's host does not answer", world => world.Source.SilentHosts.Add("git.example"), "repository_unreachable"),
        Detecting(null, "The repository's host has moved into our own network", world => world.Source.RefusedHosts.Add("git.example"), "repository_host_refused"),
        Detecting(GeneralFault.Full, "The repository has grown beyond the limit", world => world.Source.MaxFiles = 0, "repository_too_large"),
    ];

    public override IReadOnlyDictionary<GeneralFault, string> CannotHappen { get; } = new Dictionary<GeneralFault, string>
    {
        [GeneralFault.Partial] = "A tree is that of one commit, which is its content's hash: it is read whole or not at all.",
        [GeneralFault.ClockSkew] = "How long a credential lasts is the host's to say and is only told on; what is too old is refused there, as an expired one.",
    };

    /// <summary>Nobody else sees the repository, and it is looked into for its own organization as before.</summary>
    private static async ValueTask HoldsAsync(Skeleton world)
    {
        Assert.Equal("repository_not_found", (await world.Source.ResolveAsync(OrganizationId.New(TimeProvider.System), new(Url, null), CancellationToken.None)).Problem?.Code);
        Assert.Equal(new string('a', 40), (await world.Source.ResolveAsync(world.Key.Organization, new(Url, null), CancellationToken.None)).Value.Commit);
    }

    private static Fault Detecting(GeneralFault? general, string name, Action<Skeleton> show, string sees) => new(name, FaultMoment.Beside)
    {
        Is = general,
        Show = Fault.By(show),
        Mend = world =>
        {
            world.Source.Faults.Clear();
            world.Source.SilentHosts.Clear();
            world.Source.RefusedHosts.Clear();
            world.Source.ChangePassword(Url, Password);
            world.Source.MaxFiles = 10;
        },
        Sees = sees,
        Beside = world =>
        {
            world.Source.AddBranch(Url, "main", new string('a', 40), new Dictionary<string, string> { ["package.json"] = "{}" }, Password);
            world.Source.SetCredential(world.Key.Organization, "git.example", new("ada", Password, null));
            return new(() => DetectAsync(world));
        },
        Holds = HoldsAsync,
    };

    private static ValueTask<Func<ValueTask<string>>> OpenAsync(Skeleton world)
    {
        world.Source.AddBranch(Url, "main", new string('a', 40), new Dictionary<string, string>());
        world.Source.AddBranch(Url, "work", new string('b', 40), new Dictionary<string, string>());
        var draft = new PullRequestDraft("work", "main", "Work", "");
        return new(async () => (await world.Source.OpenPullRequestAsync(world.Key.Organization, new(Url, null), draft, CancellationToken.None)).Problem?.Code ?? "ok");
    }

    private static async ValueTask<string> DetectAsync(Skeleton world)
    {
        var tenant = new TenantContext(world.Key.Organization, world.Ada, Role.Member);
        var found = await new DetectEnvironmentHandler(world.Source).Handle(new DetectEnvironment(tenant, Url, null), CancellationToken.None);
        Assert.DoesNotContain(Password, found.Problem?.ToString() ?? "", StringComparison.Ordinal);
        return found.Problem?.Code ?? "ok";
    }
}
