using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Simulation.Box;
using Coordinator.Tests.Simulation.Hosts;

namespace Coordinator.Tests.Simulation.World;

/// <summary>What lies between the processes: dials, sockets, and what hosts tell each other of what they published.</summary>
internal sealed class Network(SimWorld world)
{
    private static readonly TimeSpan DialTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Of a host, before a box leaves it.</summary>
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(8.5);

    private readonly List<Link> links = [];
    private readonly Dice dice = new(world.Plan.Seed, Streams.Network);
    private long lastLink;

    /// <summary>Batches between hosts that are lost, and that come twice, from now on.</summary>
    public int PublishedToLose { get; set; }

    public int PublishedToRepeat { get; set; }

    /// <summary>A box asks a host for a socket: its token is checked first, as the endpoint does.</summary>
    public void Dial(SimBox box, SimHost host)
    {
        var done = false;
        var restores = world.Database.Restores;
        box.After(DialTimeout, () =>
        {
            if (done) world.Nothing();
            else End(() => box.Refused(final: false, restores));
        });
        world.After(world.Delay(dice), () => host.After(TimeSpan.Zero, () =>
        {
            if (host.ToBox(box).BringsAnswers) Ask();
            else world.Nothing();
        }));

        void Ask() => host.Call(box.Session, create: false, id => new SessionInput.Called(id, new SessionCommand.AuthorizeBox(box.Credential)), Answered);

        void Answered(Result<SessionReply>? answer) => box.After(world.Delay(dice), () =>
        {
            if (!host.ToBox(box).TakesRequests) world.Nothing();
            else if (answer is not { } given) End(() => box.Refused(final: false, restores));
            else if (!given.IsSuccess) End(() => box.Refused(final: given.Problem.Kind is ProblemKind.NotFound or ProblemKind.Unauthenticated or ProblemKind.Gone, restores));
            else End(() => box.Connected(Open(box, host)));
        });

        void End(Action what)
        {
            if (done) return;
            done = true;
            what();
        }
    }

    /// <summary>Followers on the publishing host hear at once; those on other hosts later, twice, or never.</summary>
    public void Publish(SimHost from, int session, EventBatch batch)
    {
        from.Publish(session, batch);
        foreach (var host in world.Hosts)
        {
            if (host == from || host.Followers.Count == 0) continue;
            if (PublishedToLose > 0)
            {
                PublishedToLose--;
                continue;
            }

            host.After(world.Delay(dice), () => host.Publish(session, batch));
            if (PublishedToRepeat <= 0) continue;
            PublishedToRepeat--;
            host.After(world.Delay(dice), () => host.Publish(session, batch));
        }
    }

    /// <summary>What is in the sockets between the two waits; of a cut that lasts they hear when nothing has come for long.</summary>
    public void Cut(SimHost host, SimBox box, TimeSpan span, CutKind kind)
    {
        host.ToBox(box).Cut(span, kind);
        if (span < LongestSilence || box.Link is not { } link || link.Host != host) return;
        world.After(LongestSilence, () =>
        {
            if (box.Link == link) link.Break();
            else world.Nothing();
        });
    }

    public void HostDied(SimHost host)
    {
        foreach (var link in links.FindAll(l => l.Host == host)) link.Break();
        links.RemoveAll(l => l.Host == host);
    }

    private Link Open(SimBox box, SimHost host)
    {
        var link = new Link(world, box, host, ++lastLink);
        links.Add(link);
        if (!host.IsUp) link.Break();
        return link;
    }
}
