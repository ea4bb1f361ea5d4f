using Coordinator.Modules.Sandboxes.Provisioning;
using Coordinator.Ports.Session;
using Coordinator.Ports;
using Coordinator.Tests.Simulation.Box;
using Coordinator.Tests.Simulation.Clients;
using Coordinator.Tests.Simulation.Invariants;
using Coordinator.Tests.Simulation.Provider;
using Coordinator.Tests.Simulation.World;
using Microsoft.Extensions.Logging.Abstractions;

namespace Coordinator.Tests.Simulation.Hosts;

/// <summary>One host process: its clock, the activations it has in memory, and who follows what through it.</summary>
internal sealed class SimHost(SimWorld world, int index)
{
    private static readonly TimeSpan OpenTimeout = TimeSpan.FromSeconds(30);

    private readonly Activation?[] table = new Activation?[world.Plan.Sessions];
    private readonly Dictionary<int, Way> toBoxes = [];
    private TimeSpan startedAt;
    private readonly List<Action<Activation?, bool>>?[] opening = new List<Action<Activation?, bool>>?[world.Plan.Sessions];

    public int Index { get; } = index;

    public Dice Dice { get; } = new(world.Plan.Seed, Streams.Host, index);

    /// <summary>Counts the starts of this host: what an earlier life asked for does not reach a later one.</summary>
    public int Life { get; private set; }

    public bool IsUp { get; private set; } = true;

    public TimeSpan ClockOffset { get; set; }

    /// <summary>Until then nothing happens in this process; it does not know.</summary>
    public TimeSpan FrozenUntil { get; set; }

    public List<SimFollower> Followers { get; } = [];

    public HostTime Time => field ??= new(world, this);

    public Way ToProvider { get; } = new(world);

    public Way ToDatabase { get; } = new(world);

    /// <summary>Since when, or from when, it has been started, thawed, and not cut off from the database.</summary>
    public TimeSpan WellSince
    {
        get
        {
            var since = startedAt > FrozenUntil ? startedAt : FrozenUntil;
            return since > ToDatabase.WholeSince ? since : ToDatabase.WholeSince;
        }
    }

    /// <summary>The database answers, as far as this process can tell.</summary>
    public bool ReachesDatabase => !world.Database.IsDown && ToDatabase.IsWhole;

    public ProviderWire Provider => field ??= new(world, this);

    public HostSessions Sessions => field ??= new(world, this);

    /// <summary>What sessions want of boxes, as production does it.</summary>
    public SandboxEffects Boxes => field ??= new(Provider, world.Tokens, OrphanSweeps.Settings, Time, NullLogger<SandboxEffects>.Instance);

    public DateTimeOffset Clock => world.Clock + ClockOffset;

    public Activation? Active(int session) => table[session];

    /// <summary>Does something later, if this process still lives and once it is not frozen.</summary>
    public void After(TimeSpan delay, Action what)
    {
        var life = Life;
        world.After(delay, Run);

        void Run()
        {
            if (Life != life || !IsUp) world.Nothing();
            else if (FrozenUntil > world.Now) world.After(FrozenUntil - world.Now, Run);
            else what();
        }
    }

    /// <summary>Waits for asynchronous work of this process, and goes on with what came of it as a step of its own.</summary>
    public void Await<T>(ValueTask<T> work, Action<T> then)
    {
        var awaiter = work.GetAwaiter();
        awaiter.OnCompleted(() => After(TimeSpan.Zero, () => then(Result())));

        T Result()
        {
            try
            {
                return awaiter.GetResult();
            }
            catch (Exception e)
            {
                throw new InvariantBrokenException(Invariant.NothingThrows, $"host {Index}: {e}");
            }
        }
    }

    /// <summary>Gives the live activation, opening one if need be; null: there is no such session. Failed: the journal is down.</summary>
    public void Activate(int session, bool create, Action<Activation?, bool> then)
    {
        if (table[session] is { } live)
        {
            then(live, false);
            return;
        }

        if (opening[session] is { } waiting)
        {
            waiting.Add((a, failed) =>
            {
                if (a is null && !failed && create) Activate(session, create, then);
                else then(a, failed);
            });
            return;
        }

        opening[session] = [then];
        After(world.Delay(Dice), () => Open(session, create));
    }

    /// <summary>Runs one input that is answered by a reply; null: the call failed and may have taken effect.</summary>
    public void Call(int session, bool create, Func<long, SessionInput> input, Action<Result<SessionReply>?> answered) =>
        Activate(session, create, (activation, failed) =>
        {
            if (activation is not null) activation.Call(input, answered);
            else if (failed) answered(null);
            else answered(NotFound);
        });

    public void Publish(int session, EventBatch batch)
    {
        foreach (var follower in Followers)
            if (follower.Session == session) follower.Offer(batch);
    }

    /// <summary>An activation does not know what became of its last record: its followers come back and read.</summary>
    public void LetFollowersGo(int session)
    {
        foreach (var follower in Followers.FindAll(f => f.Session == session)) follower.Close();
    }

    /// <summary>The process dies: everything in memory is gone at once.</summary>
    public void Crash()
    {
        if (!IsUp) return;
        world.Trace($"host {Index} dies");
        IsUp = false;
        Life++;
        FrozenUntil = default;
        for (var i = 0; i < table.Length; i++)
        {
            var activation = table[i];
            (table[i], opening[i]) = (null, null);
            activation?.Die();
        }

        Followers.Clear();
        world.Network.HostDied(this);
    }

    public void Start()
    {
        if (IsUp) return;
        world.Trace($"host {Index} starts");
        IsUp = true;
        startedAt = world.Now;
        Life++;
        Begin();
    }

    /// <summary>What a process does by itself from its start.</summary>
    public void Begin() => new OrphanSweeps(world, this).Begin();

    /// <summary>What it sends to a box, and what the box sends to it.</summary>
    public Way ToBox(SimBox box) => toBoxes.TryGetValue(box.Number, out var way) ? way : toBoxes[box.Number] = new(world);

    public void Heal()
    {
        if (FrozenUntil > world.Now) FrozenUntil = world.Now;
        ToProvider.Heal();
        ToDatabase.Heal();
        foreach (var way in toBoxes.Values) way.Heal();
        Start();
    }

    /// <summary>
    /// Its peers may take it for dead: it gives up what it has, as a member of a cluster does, and begins anew. An activation
    /// that still waits for the database is left to its fence.
    /// </summary>
    public void LoseRegistration()
    {
        world.Trace($"host {Index} is not a host any more");
        foreach (var activation in table) activation?.BeginEnd(LinkCloseReason.HostRestarting);
        foreach (var follower in Followers.ToArray()) follower.Close();
        After(TimeSpan.FromSeconds(2), () => Array.FindAll(table, left => left is { IsEnding: true }).ToList().ForEach(left => Forget(left!)));
    }

    /// <summary>Gives up every session in good order, then stops.</summary>
    public void Drain()
    {
        foreach (var activation in table) activation?.BeginEnd(LinkCloseReason.HostRestarting);
        Followers.Clear();
        var life = Life;
        world.After(TimeSpan.FromSeconds(5), () =>
        {
            if (Life == life) Crash();
        });
        world.After(TimeSpan.FromSeconds(6 + Dice.Below(20)), Start);
    }

    public void Forget(Activation activation)
    {
        if (table[activation.Session] == activation) table[activation.Session] = null;
    }

    private static Problem NotFound { get; } = new("session_not_found", "There is no such session.", ProblemKind.NotFound);

    private void Open(int session, bool create)
    {
        if (world.Database.IsDown || !ToDatabase.TakesRequests)
        {
            After(ToDatabase.IsWhole ? TimeSpan.Zero : OpenTimeout * Dice.Fraction(), () => Opened(session, null, failed: true));
            return;
        }

        var opened = world.Database.Open(session, Index, create);
        if (!ToDatabase.BringsAnswers)
        {
            // Done, and nobody knows: the lease is one that fences others and that no activation holds.
            After(OpenTimeout, () => Opened(session, null, failed: true));
            return;
        }

        if (opened is not { } lease)
        {
            Opened(session, null, failed: false);
            return;
        }

        world.Trace($"host {Index} opens session {session} at epoch {lease.Epoch}, version {lease.Version}");
        After(world.Delay(Dice), () =>
        {
            if (!ToDatabase.IsWhole)
            {
                Opened(session, null, failed: true);
                return;
            }

            var machine = world.Fold(session, lease);
            var activation = new Activation(world, this, session, lease, machine);
            table[session] = activation;
            Publish(session, new EventBatch(lease.Seq + 1, lease.Seq, default, []));
            activation.Begin();
            Opened(session, activation, failed: false);
        });
    }

    private void Opened(int session, Activation? activation, bool failed)
    {
        var waiting = opening[session]!;
        opening[session] = null;
        foreach (var then in waiting) then(activation, failed);
    }
}
