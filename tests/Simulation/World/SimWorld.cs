using System.Runtime.CompilerServices;
using System.Text;
using Coordinator.Modules.Sessions.Actor;
using Coordinator.Modules.Sessions.Facts;
using Coordinator.Ports.Session;
using Coordinator.Tests.Simulation.Clients;
using Coordinator.Tests.Simulation.Faults;
using Coordinator.Tests.Simulation.Hosts;
using Coordinator.Tests.Simulation.Invariants;
using Coordinator.Tests.Simulation.Journal;
using Coordinator.Tests.Simulation.Mutations;
using Coordinator.Tests.Simulation.Provider;

namespace Coordinator.Tests.Simulation.World;

/// <summary>
/// One deterministic world: everything around sessions and boxes is played, sessions and bridges are the real ones. One
/// thread, one schedule, virtual time; the plan says what happens, and what it says is all there is of chance.
/// </summary>
internal sealed class SimWorld
{
    /// <summary>More steps than any world that is well takes.</summary>
    private const long MostSteps = 200_000;

    private readonly Schedule schedule = new();
    private readonly Trace? trace;
    private readonly FaultPlayer player;
    private readonly BoundWatch bounds;
    private ulong fingerprint = 14695981039346656037;

    public SimWorld(WorldPlan plan, Mutation mutation = Mutation.None, Trace? trace = null)
    {
        (Plan, Mutation, this.trace) = (plan, mutation, trace);
        Machines = new(plan.Limits, Tokens);
        Faults = new();
        Audit = new(this);
        Network = new(this);
        Database = new(this, plan.Sessions);
        Alarms = new(this);
        History = new(this);
        Provider = new(this);
        Effects = new(this);
        Hosts = [.. Enumerable.Range(0, plan.Hosts).Select(i => new SimHost(this, i))];
        Clients = [.. Enumerable.Range(0, plan.Sessions).SelectMany(s => Enumerable.Range(0, plan.People).Select(p => new SimClient(this, s, p)))];
        player = new(this);
        bounds = new(this);
    }

    public WorldPlan Plan { get; }

    public Mutation Mutation { get; }

    public DateTimeOffset Epoch { get; } = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public TimeSpan Now => schedule.Now;

    public DateTimeOffset Clock => Epoch + Now;

    /// <summary>Things done so far that did something.</summary>
    public long Steps { get; private set; }

    /// <summary>Steps of real session machines among them.</summary>
    public long MachineSteps { get; private set; }

    /// <summary>Differs between any two runs that differ anywhere in what the machines were told, and when.</summary>
    public ulong Fingerprint => fingerprint;

    public BoxTokens Tokens { get; } = new();

    public SessionMachineFactory Machines { get; }

    public NextFaults Faults { get; }

    public Audit Audit { get; }

    public Network Network { get; }

    public Database Database { get; }

    public Alarms Alarms { get; }

    public History History { get; }

    public SimProvider Provider { get; }

    public Effects Effects { get; }

    public IReadOnlyList<SimHost> Hosts { get; }

    public IReadOnlyList<SimClient> Clients { get; }

    /// <summary>Lives the plan, heals, and waits until everything has ended. Throws what is broken.</summary>
    public void Run()
    {
        var outside = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(new WorldContext(this));
        try
        {
            Live();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(outside);
        }
    }

    private void Live()
    {
        foreach (var host in Hosts) host.Begin();
        foreach (var client in Clients) client.Begin();
        foreach (var happening in Plan.Happenings)
        {
            while (Steps < happening.Step && DoNext(Now + player.Patience)) Bound();
            Steps++;
            Trace($"! {happening}");
            player.Play(happening);
        }

        for (var i = 0; i < 50 && DoNext(Now + player.Patience); i++) Bound();
        Trace($"! everything is whole again");
        player.Heal();
        Settle();
        FinalAudit.Runs(this);
        FinalAudit.Clients(this);
    }

    public void After(TimeSpan delay, Action what) => schedule.At(Now + delay, what);

    /// <summary>What was taken from the schedule turned out to be of a process that is gone: no step was made.</summary>
    public void Nothing() => Steps--;

    public TimeSpan Delay(Dice dice) => dice.Between(TimeSpan.FromMilliseconds(0.2), Plan.Latency);

    /// <summary>A host that answers: mostly the session's own, sometimes another; null when none is up.</summary>
    public SimHost? LiveHost(Dice dice, int? session)
    {
        if (session is { } s && Database.Row(s).Host is { } owner && Hosts[owner].IsUp && dice.Percent(Plan.OwnerPercent)) return Hosts[owner];
        var first = dice.Below(Hosts.Count);
        for (var i = 0; i < Hosts.Count; i++)
            if (Hosts[(first + i) % Hosts.Count] is { IsUp: true } host) return host;
        return null;
    }

    /// <summary>The machine of a new activation, folded from the bytes in the journal.</summary>
    public ISessionMachine Fold(int session, JournalLease lease)
    {
        var row = Database.Row(session);
        var machine = Machines.Create(lease);
        var isWhole = Mutation is not (Mutation.DoubleDispatch or Mutation.AnswerForgotten or Mutation.MoveForgotten or Mutation.UsageForgotten or Mutation.CallsForgotten);
        if (isWhole && (row.Snapshot is not { } snapshot || snapshot.Version > lease.Version || !machine.Restore(snapshot))) machine = Machines.Create(lease);
        for (var i = (int)machine.Version; i < row.Records.Count; i++)
        {
            machine.Replay(Mutation switch
            {
                Mutation.DoubleDispatch => Seams.Forgetting(row.Records[i], fact => fact is Fact.MessageDispatched or Fact.MessageStarted),
                Mutation.MoveForgotten => Seams.Forgetting(row.Records[i], fact => fact is Fact.MessageMoved),
                Mutation.UsageForgotten => Seams.Forgetting(row.Records[i], fact => fact is Fact.UsageRecorded),
                Mutation.CallsForgotten => Seams.Changing(row.Records[i], fact => fact is Fact.UsageRecorded used ? used with { Call = null } : fact),
                Mutation.AnswerForgotten => Seams.Forgetting(row.Records[i], fact => fact is Fact.PermissionDecided),
                _ => row.Records[i],
            });
        }

        return machine;
    }

    public void Stepped(Activation activation, SessionInput input)
    {
        MachineSteps++;
        var mark = ((ulong)Now.Ticks * 31) + ((ulong)activation.Session * 7) + ((ulong)activation.Host.Index * 3) + (ulong)input.GetType().Name.Length;
        fingerprint = (fingerprint ^ mark) * 1099511628211;
        Trace($"host {activation.Host.Index}, session {activation.Session}: {input}");
    }

    public void Trace([InterpolatedStringHandlerArgument("")] TraceLine line)
    {
        if (trace is not null) trace.Add(Steps, Now, line.ToString());
    }

    private bool DoNext(TimeSpan until)
    {
        if (schedule.Take(until) is not { } next) return false;
        Steps++;
        bounds.Look();
        next();
        return true;
    }

    private void Bound()
    {
        if (Steps > MostSteps) throw new InvariantBrokenException(Invariant.NothingThrows, $"{MostSteps} steps were not enough: {FinalAudit.Unsettled(this) ?? "the plan was not over"}");
    }

    private void Settle()
    {
        var healed = Now;
        var within = Enumerable.Range(0, Plan.Sessions).Max(i => FinalAudit.Bound(this, Audit.Of(i).Messages.Count(m => m.Outcome is null)));
        var idle = new IdleWatch();
        while (true)
        {
            var look = Now + TimeSpan.FromMinutes(1);
            while (DoNext(look)) Bound();
            schedule.Pass(look);
            if (FinalAudit.Unsettled(this) is not { } unsettled) return;
            idle.Look(this);
            if (Now - healed > within) throw new InvariantBrokenException(FinalAudit.InvariantOf(unsettled), $"{within.TotalMinutes:0} minutes after everything was whole again: {unsettled}");
        }
    }

    /// <summary>A line that is written only when somebody reads it.</summary>
    [InterpolatedStringHandler]
    internal readonly ref struct TraceLine
    {
        private readonly StringBuilder? text;

        public TraceLine(int literals, int holes, SimWorld world, out bool wanted)
        {
            wanted = world.trace is not null;
            text = wanted ? new(literals + (holes * 16)) : null;
        }

        public void AppendLiteral(string value) => text!.Append(value);

        public void AppendFormatted<T>(T value) => text!.Append(value);

        public override string ToString() => text?.ToString() ?? string.Empty;
    }
}
