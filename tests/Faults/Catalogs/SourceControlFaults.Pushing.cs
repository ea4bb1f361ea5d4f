using Coordinator.Tests.Faults.Pushing;
using Coordinator.Tests.Faults.Real;
using Coordinator.Tests.Support.Git;
using Coordinator.Tests.WalkingSkeleton.World;

namespace Coordinator.Tests.Faults.Catalogs;

/// <summary>What goes wrong when a box pushes, which nobody else does: the source control's part of it is the credential.</summary>
public sealed partial class SourceControlFaults
{
    private const string NoFastForward = "A push is no fast-forward: the agent sees git's refusal, and pushes again on top of what is there";
    private const string ExpiresBetween = "A token expires between two pushes: git asks again and is given one that lasts";
    private const string ExpiresWithin = "A token expires in the middle of a push: git says so, and the next push is given one that lasts";
    private const string PushLost = "A push arrives and its answer is lost: pushed again, nothing is there twice";

    private static IEnumerable<Fault> Pushing =>
    [
        ByPushing(NoFastForward, pusher => pusher.OvertakeAsync(), "git: non-fast-forward"),
        ByPushing(ExpiresBetween, Now(pusher => pusher.Expire()), "ok"),
        ByPushing(ExpiresWithin, Now(pusher => pusher.ExpireInPush()), "git: HTTP 401") with { OrSees = ["ok"] }, // later versions of git ask again by themselves
        ByPushing(PushLost, Now(pusher => pusher.LoseAnswer()), "git: hung up unexpectedly"),
    ];

    private static IEnumerable<RealPlay> PushingOnReal =>
    [
        ByApp(NoFastForward, pusher => pusher.OvertakeAsync()),
        ByApp(ExpiresBetween, Now(pusher => pusher.Expire())),
        ByApp(ExpiresWithin, Now(pusher => pusher.ExpireInPush())),
        BySecret(ExpiresWithin, Now(pusher => pusher.ExpireInPush())),
    ];

    private static Func<Pusher, ValueTask> Now(Action<Pusher> show) => pusher =>
    {
        show(pusher);
        return ValueTask.CompletedTask;
    };

    private static Fault ByPushing(string name, Func<Pusher, ValueTask> show, string sees)
    {
        Skeleton? world = null;
        var pusher = new Pusher(token =>
        {
            world!.Source.SetCredential(world.Key.Organization, "127.0.0.1", new("x-access-token", token, null));
            return ValueTask.CompletedTask;
        });
        return new(name, FaultMoment.Beside)
        {
            Show = _ => show(pusher),
            Mend = _ => pusher.Mend(),
            Sees = sees,
            Beside = async prepared =>
            {
                world = prepared;
                var git = world.Keep(await GitHttpServer.StartSecureAsync());
                return await pusher.PrepareAsync(world, git, git.Address, "private/app.git");
            },
            Holds = _ => pusher.HoldsAsync(),
        };
    }

    /// <summary>The GitHub App mints a token whenever the one it has is about to expire.</summary>
    private static RealPlay ByApp(string of, Func<Pusher, ValueTask> show)
    {
        var pusher = new Pusher();
        return Playing(of, "by the GitHub App's tokens", pusher, show, outside => $"{RealPeers.Account}/{outside.World.Key.Session}.git");
    }

    /// <summary>The organization keeps a password for the host, and replaces it.</summary>
    private static RealPlay BySecret(string of, Func<Pusher, ValueTask> show)
    {
        RealOutside? now = null;
        var pusher = new Pusher(token => now!.StoreSecretAsync("git/127.0.0.1", token));
        var play = Playing(of, "by the organization's password", pusher, show, outside => $"private/team/{outside.World.Key.Session}.git");
        return play with
        {
            Beside = outside =>
            {
                now = outside;
                return play.Beside!(outside);
            },
        };
    }

    private static RealPlay Playing(string of, string how, Pusher pusher, Func<Pusher, ValueTask> show, Func<RealOutside, string> name) => new(of, how)
    {
        Show = _ => show(pusher),
        Mend = _ => pusher.Mend(),
        IsOfNetwork = false,
        Beside = outside =>
        {
            outside.Peers.GitHub.NextToken = pusher.Tokens.Mint;
            return pusher.PrepareAsync(outside.World, outside.Peers.SecureGit, outside.SecureGitUrl, name(outside));
        },
        Holds = _ => pusher.HoldsAsync(),
    };
}
