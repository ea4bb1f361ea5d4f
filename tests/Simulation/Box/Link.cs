using Coordinator.Modules.SessionAccess;
using Coordinator.Modules.SessionAccess.Bridge;
using Coordinator.Modules.SessionAccess.Sockets;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Simulation.Hosts;
using Coordinator.Tests.Simulation.Invariants;
using Coordinator.Tests.Simulation.Mutations;
using Coordinator.Tests.Simulation.World;

namespace Coordinator.Tests.Simulation.Box;

/// <summary>
/// One socket between a box and a host, with the real codecs at its ends. Frames keep their order; each end learns of a
/// break in its own time, and until then writes into the void.
/// </summary>
internal sealed class Link(SimWorld world, SimBox box, SimHost host, long id)
{
    private static readonly BoxBriefing Briefing = new(Names.Model, null, new SessionAccessOptions());

    private readonly int boxLife = box.Life;
    private readonly int hostLife = host.Life;
    private readonly Queue<BoxFrame> early = new();
    private TimeSpan lastToHost;
    private TimeSpan lastToBox;
    private Activation? activation;
    private bool greeted;
    private bool boxEndOpen = true;
    private bool hostEndOpen = true;
    private bool isBroken;

    public long Id { get; } = id;

    public SimHost Host => host;

    /// <summary>The spool that its box said hello with.</summary>
    public string SpoolId { get; private set; } = string.Empty;

    /// <summary>Until then nothing that is written arrives.</summary>
    public TimeSpan StalledUntil { get; set; }

    /// <summary>The database went back since it was opened: what it carries is of another past.</summary>
    public bool IsOfAnotherPast => world.Database.Restores != Restores;

    /// <summary>How often the database had gone back when it was opened.</summary>
    public int Restores { get; } = world.Database.Restores;

    private bool BoxLives => boxEndOpen && box.Life == boxLife && box.IsRunning;

    private bool HostLives => hostEndOpen && host.Life == hostLife && host.IsUp;

    public void ToHost(ReadOnlyMemory<byte> frame)
    {
        if (isBroken) return;
        lastToHost = Arrival(lastToHost, host.ToBox(box).AnswersFrom);
        world.After(lastToHost - world.Now, () =>
        {
            if (isBroken || !HostLives) world.Nothing();
            else AtHost(frame);
        });
    }

    /// <summary>The host's end sends.</summary>
    public void Send(HostFrame frame)
    {
        if (isBroken || !hostEndOpen) return;
        if (world.Mutation == Mutation.WelcomeTakesItsWord && frame is HostFrame.Welcome welcome) frame = welcome with { AckedN = box.AckedN };
        var bytes = HostFrameWriter.Write(frame, Briefing);
        lastToBox = Arrival(lastToBox, host.ToBox(box).RequestsFrom);
        world.After(lastToBox - world.Now, () =>
        {
            if (isBroken || !BoxLives) world.Nothing();
            else box.Received(bytes);
        });
    }

    /// <summary>The host's end closes after what it sent, and says why.</summary>
    public void CloseByHost(LinkCloseReason reason)
    {
        if (!hostEndOpen) return;
        hostEndOpen = false;
        activation?.RemoveLink(this);
        lastToBox = Arrival(lastToBox, host.ToBox(box).RequestsFrom);
        world.After(lastToBox - world.Now, () => BoxEndHears(isBroken ? null : reason));
    }

    public void CloseByBox()
    {
        if (!boxEndOpen) return;
        BoxEndHears(null);
        lastToHost = Arrival(lastToHost, host.ToBox(box).AnswersFrom);
        world.After(lastToHost - world.Now, HostEndHears);
    }

    /// <summary>The connection is gone; both ends hear of it within the time of their keep-alives.</summary>
    public void Break()
    {
        if (isBroken) return;
        isBroken = true;
        world.After(TimeSpan.FromMilliseconds(box.Dice.Below(15_000)), () => BoxEndHears(null));
        world.After(TimeSpan.FromMilliseconds(box.Dice.Below(40_000)), HostEndHears);
    }

    private TimeSpan Arrival(TimeSpan last, TimeSpan passableFrom)
    {
        var at = world.Now + world.Delay(box.Dice);
        if (at < last) at = last;
        if (at < passableFrom) at = passableFrom;
        return at < StalledUntil ? StalledUntil : at;
    }

    private void AtHost(ReadOnlyMemory<byte> frame)
    {
        if (host.FrozenUntil > world.Now)
        {
            host.After(TimeSpan.Zero, () => AtHost(frame));
            return;
        }

        try
        {
            if (!greeted) Greet(HelloReader.Read(frame.Span));
            else Receive(BoxFrameReader.Read(frame.Span));
        }
        catch (FrameException e)
        {
            throw new InvariantBrokenException(Invariant.NothingThrows, $"a host cannot read a frame of {box}: {e.Message}");
        }
    }

    private void Greet(BridgeHello hello)
    {
        greeted = true;
        SpoolId = hello.SpoolId;
        host.Activate(box.Session, create: false, (live, failed) =>
        {
            if (live is null)
            {
                CloseByHost(failed ? LinkCloseReason.HostRestarting : LinkCloseReason.NotWanted);
                return;
            }

            activation = live;
            live.AddLink(this);
            while (early.TryDequeue(out var frame)) Receive(frame);
            live.Call(call => new SessionInput.BridgeAttached(Id, call, box.Credential, hello), answer =>
            {
                if (answer is { IsSuccess: true }) return;
                CloseByHost(answer is null || answer.Value.Problem!.Kind is ProblemKind.Unavailable or ProblemKind.TooMany ? LinkCloseReason.Failed : LinkCloseReason.NotWanted);
            });
        });
    }

    private void Receive(BoxFrame frame)
    {
        if (!hostEndOpen) return;
        if (activation is null)
        {
            early.Enqueue(frame);
            return;
        }

        if (world.Mutation == Mutation.AckBeforeCommit && frame is BoxFrame.Event seen) Send(new HostFrame.Ack(seen.N, BridgeWindow.Default));
        if (!activation.Post(new SessionInput.BridgeReceived(Id, frame))) CloseByHost(LinkCloseReason.HostRestarting);
    }

    private void BoxEndHears(LinkCloseReason? told)
    {
        if (!BoxLives)
        {
            world.Nothing();
            return;
        }

        boxEndOpen = false;
        box.Disconnected(this, told);
    }

    private void HostEndHears()
    {
        if (!HostLives)
        {
            world.Nothing();
            return;
        }

        hostEndOpen = false;
        activation?.RemoveLink(this);
    }
}
