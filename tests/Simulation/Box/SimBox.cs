using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Coordinator.Sandbox;
using Coordinator.Sandbox.Bridge;
using Coordinator.Sandbox.Events;
using Coordinator.Sandbox.Storage;
using Coordinator.Tests.Simulation.Mutations;
using Coordinator.Tests.Simulation.World;

namespace Coordinator.Tests.Simulation.Box;

/// <summary>
/// One dev box: the real bridge machine over a simulated disk, the dialling that its program does, and an agent. Its
/// program may be started anew, its machine lose power, its disk be lost; only the provider ends it.
/// </summary>
internal sealed class SimBox : IBridgeWire
{
    private static readonly TimeSpan HeartbeatEvery = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Lonely = TimeSpan.FromMinutes(30);
    private static readonly TimeSpan Drain = TimeSpan.FromSeconds(3);
    private static readonly BoxLog Log = new(TextWriter.Null, TimeProvider.System);
    private static readonly LifecycleEvents Lifecycle = new(new Redactor());

    private readonly SimWorld world;
    private readonly BoxIdentity identity;
    private readonly SimDisk disk;
    private BridgeMachine machine = null!;
    private BridgeWork work = null!;
    private ReconnectSchedule schedule = null!;
    private TimeSpan lastContact;
    private bool dials;
    private bool isShuttingDown;
    private int spools;

    public SimBox(SimWorld world, int number, SandboxSpec spec, bool resumes, int askedAfterRestores)
    {
        this.world = world;
        (Number, Session, Sandbox, Generation, Labels, Resumes) = (number, Names.IndexOf(spec.Session), spec.Sandbox, spec.Generation, spec.Labels, resumes);
        Dice = new(world.Plan.Seed, Streams.Box, number);
        Handle = new("simulated", $"box-{Names.Text(number)}", null);
        Credential = new(Sandbox, Generation, world.Tokens.HashFor(Names.Session(Session), Sandbox, Generation));
        MadeAt = world.Now;
        AskedAfterRestores = askedAfterRestores;
        identity = new(Sandbox, Generation);
        disk = new(world, this);
    }

    public int Number { get; }

    public int Session { get; }

    public SandboxId Sandbox { get; }

    public int Generation { get; }

    public SandboxHandle Handle { get; }

    public IReadOnlyDictionary<string, string> Labels { get; }

    public BoxCredential Credential { get; }

    public TimeSpan MadeAt { get; }

    /// <summary>How often the database had gone back when it was asked for.</summary>
    public int AskedAfterRestores { get; }

    /// <summary>An earlier box of the session left its workspace, and with it the agent's conversation.</summary>
    public bool Resumes { get; }

    public Dice Dice { get; }

    /// <summary>Counts the starts of its program.</summary>
    public int Life { get; private set; }

    public bool IsRunning { get; private set; }

    public Link? Link { get; private set; }

    /// <summary>The last event that its program has let go of.</summary>
    public long AckedN => machine.AckedN;

    public SimAgent Agent { get; private set; } = null!;

    /// <summary>When the provider last kept somebody from ending it.</summary>
    public TimeSpan FoiledAt { get; private set; }

    /// <summary>Until then no host can be reached.</summary>
    public TimeSpan CutOffUntil { get; set; }

    public string NewSpoolId() => $"{Number:x8}{++spools:x8}";

    public override string ToString() => $"box {Number} (session {Session}, generation {Generation})";

    public void PowerOn(bool dials)
    {
        this.dials = dials;
        IsRunning = true;
        StartProgram();
    }

    /// <summary>The program, or the whole machine, starts anew on what is on disk.</summary>
    public void Restart(bool losesPower)
    {
        if (!IsRunning || isShuttingDown) return;
        StopProgram();
        if (losesPower) disk.LoseCache();
        StartProgram();
    }

    public void DamageDisk()
    {
        if (!IsRunning || isShuttingDown) return;
        StopProgram();
        disk.Damage();
        StartProgram();
    }

    public void LoseDisk()
    {
        if (!IsRunning || isShuttingDown) return;
        StopProgram();
        disk.Lose();
        world.Audit.DiskLost(this);
        StartProgram();
    }

    public void KeepDisk() => disk.KeepCopy();

    public void RestoreDisk()
    {
        if (!IsRunning || isShuttingDown) return;
        if (!disk.HasCopy)
        {
            disk.KeepCopy();
            return;
        }

        StopProgram();
        world.Audit.AcceptancesLost(disk.LostByRestore());
        disk.RestoreCopy();
        StartProgram();
    }

    /// <summary>The provider refused to end it, said that it had and did not, or did not list it.</summary>
    public void Foiled() => FoiledAt = world.Now;

    public void FillDisk(bool full) => disk.Fill(full);

    /// <summary>It goes on running and costing, and nothing in it moves.</summary>
    public void Hang()
    {
        if (IsRunning) StopProgram();
        isShuttingDown = true;
    }

    /// <summary>Nothing of it runs any more.</summary>
    public void Die(string why, bool stops = true)
    {
        if (!IsRunning) return;
        world.Trace($"{this} ends: {why}");
        if (stops) StopProgram();
        IsRunning = false;
    }

    public void Happened(BoxEvent happened) => Step(new BridgeInput.Happened(happened));

    public void Step(BridgeInput input)
    {
        try
        {
            work.Step(input);
        }
        catch (SpoolNotRenewedException)
        {
            // As its program ends: what is on disk is what it was, and nobody is there to read it.
            world.Audit.LossIsKnown(Session);
            Die("no room for a new spool");
        }
    }

    /// <summary>Does something later, if this life of the program goes on.</summary>
    public void After(TimeSpan delay, Action what)
    {
        var life = Life;
        world.After(delay, () =>
        {
            if (Life == life && IsRunning) what();
            else world.Nothing();
        });
    }

    /// <summary>The upgrade was answered with a socket.</summary>
    public void Connected(Link link)
    {
        Link = link;
        Step(new BridgeInput.Connected());
    }

    public void Disconnected(Link link, LinkCloseReason? told)
    {
        if (Link != link) return;
        Link = null;
        var welcomed = machine.IsWelcomed;
        Step(new BridgeInput.Disconnected());
        if (told == LinkCloseReason.NotWanted)
        {
            world.Audit.BoxTurnedAway(this, "told that it is not wanted", link.Restores);
            Die("not wanted");
            return;
        }

        if (welcomed)
        {
            schedule.Reset();
            lastContact = world.Now;
        }

        DialAgain(told == LinkCloseReason.HostRestarting ? schedule.AtOnce() : schedule.Next());
    }

    /// <summary>The dial got no socket. Final: 401, 403 or 410.</summary>
    public void Refused(bool final, int restores)
    {
        if (final)
        {
            world.Audit.BoxTurnedAway(this, "refused", restores);
            Die("refused");
            return;
        }

        DialAgain(schedule.Next());
    }

    public void Received(ReadOnlyMemory<byte> frame)
    {
        var read = HostFrameReader.Read(frame.Span) ?? throw new Invariants.InvariantBrokenException(Invariants.Invariant.NothingThrows, $"{this} cannot read a frame of its host");
        lastContact = world.Now;
        Step(new BridgeInput.Received(read));
        if (machine.IsWelcomed && Link is { IsOfAnotherPast: false }) world.Audit.BoxListens(this, machine.SpoolId, machine.AckedN);
    }

    /// <summary>Ends its turn, says so if it can within a few seconds, and is gone.</summary>
    public void Shutdown()
    {
        if (isShuttingDown) return;
        isShuttingDown = true;
        Agent.StopForGood();
        After(machine.AckedN == machine.LastN ? TimeSpan.Zero : Drain, () => Die("asked to"));
    }

    void IBridgeWire.Send(ReadOnlyMemory<byte> frame) => Link?.ToHost(frame);

    void IBridgeWire.SendEvent(long n)
    {
        Link?.ToHost(BoxFrameWriter.Event(n, disk.Read(n).Span));
        if (world.Mutation == Mutation.TrimWhenSent) Seams.TrimWhenSent(this, n);
    }

    void IBridgeWire.Acknowledged(long n)
    {
    }

    void IBridgeWire.Close(int code, string reason)
    {
        if (Link is not { } link) return;
        world.Trace($"{this} closes its link: {reason}");
        After(TimeSpan.Zero, () => link.CloseByBox());
    }

    private void StartProgram()
    {
        Life++;
        isShuttingDown = false;
        try
        {
            disk.Open();
        }
        catch (Exception e) when (e is IOException or SpoolNotRenewedException)
        {
            Die("no room to begin", stops: false);
            return;
        }

        machine = BridgeWork.MachineOver(disk, identity, Lifecycle, NewSpoolId);
        Agent = new(world, this, Lifecycle);
        work = new(machine, disk, Agent, this, Log);
        schedule = new(ReconnectSchedule.LongestElsewhere, Dice.Fraction);
        lastContact = world.Now;
        work.Recover();
        Beat();
        if (dials) After(TimeSpan.FromMilliseconds(Dice.Below(2_000)), Dial);
    }

    private void StopProgram()
    {
        Life++;
        Agent.Die();
        Link?.Break();
        Link = null;
    }

    private void Beat()
    {
        Step(new BridgeInput.Beat(false, 1, 1));
        After(HeartbeatEvery, Beat);
    }

    private void DialAgain(TimeSpan wait)
    {
        if (world.Now - lastContact >= Lonely) Die("lonely");
        else After(wait, Dial);
    }

    private void Dial()
    {
        if (Link is not null) return;
        if (world.Now < CutOffUntil || world.LiveHost(Dice, Session) is not { } host)
        {
            world.Nothing();
            DialAgain(schedule.Next());
            return;
        }

        world.Network.Dial(this, host);
    }
}
