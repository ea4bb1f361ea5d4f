using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Session;
using Coordinator.Tests.Simulation.Box;
using Coordinator.Tests.Simulation.Hosts;
using Coordinator.Tests.Simulation.Mutations;
using Coordinator.Tests.Simulation.World;

namespace Coordinator.Tests.Simulation.Provider;

/// <summary>The sandbox provider: makes, finds and ends boxes, idempotent by sandbox id, and lies in the ways real ones do.</summary>
internal sealed class SimProvider(SimWorld world)
{
    private static readonly TimeSpan Lost = TimeSpan.FromMinutes(3);

    private readonly Dice dice = new(world.Plan.Seed, Streams.Provider);
    private readonly List<SimBox> boxes = [];
    private int made;

    public ProviderFaults Faults { get; } = new();

    /// <summary>Boxes that exist at the provider, in the order they were made.</summary>
    public IReadOnlyList<SimBox> Boxes => boxes;

    public IEnumerable<SimBox> Running => boxes.Where(box => box.IsRunning);

    public SimBox? Of(int session) => boxes.FindLast(box => box.Session == session && box.IsRunning);

    public void Serve(int session, SessionEffect effect, Action<TimeSpan, EffectOutcome> answer)
    {
        switch (effect)
        {
            case SessionEffect.CreateSandbox create:
                Create(session, create, answer);
                break;
            case SessionEffect.InspectSandbox inspect:
                answer(TimeSpan.Zero, new EffectOutcome.SandboxInspected(StatusOf(inspect.Handle), null));
                break;
            case SessionEffect.DestroySandbox destroy:
                Destroy(session, destroy, answer);
                break;
        }
    }

    /// <summary>What a listing shows: all of them, unless it is incomplete.</summary>
    public List<SimBox> List()
    {
        var incomplete = Take(Faults.ListsIncomplete, () => Faults.ListsIncomplete--);
        return [.. boxes.Where(_ => !incomplete || dice.Percent(50))];
    }

    /// <summary>Ends a box for good; the data stays when it is kept.</summary>
    public void End(SimBox box, bool keepData)
    {
        if (box.IsRunning) world.Audit.BoxTurnedAway(box, "destroyed");
        box.Die("destroyed");
        if (!keepData) boxes.Remove(box);
    }

    private void Create(int session, SessionEffect.CreateSandbox create, Action<TimeSpan, EffectOutcome> answer)
    {
        if (Take(Faults.CreatesRefused, () => Faults.CreatesRefused--))
        {
            answer(TimeSpan.Zero, Effects.Failed("sandbox_rejected", retryable: false));
            return;
        }

        if (Take(Faults.CreatesUnavailable, () => Faults.CreatesUnavailable--))
        {
            answer(TimeSpan.Zero, Effects.Failed("sandbox_unavailable"));
            return;
        }

        if (Take(Faults.CreatesSlow, () => Faults.CreatesSlow--))
        {
            world.After(TimeSpan.FromSeconds(5 + dice.Below(200)), () => answer(TimeSpan.Zero, Make(session, create)));
            return;
        }

        var made = Make(session, create);
        answer(Take(Faults.CreateAnswersLost, () => Faults.CreateAnswersLost--) ? Lost : TimeSpan.Zero, made);
    }

    private EffectOutcome.SandboxCreated Make(int session, SessionEffect.CreateSandbox create)
    {
        var box = world.Mutation == Mutation.CreateNotIdempotent ? null : boxes.Find(b => b.Sandbox == create.Sandbox);
        if (box is null)
        {
            var resumes = boxes.RemoveAll(b => b.Session == session && !b.IsRunning) > 0;
            box = new SimBox(world, ++made, session, create, resumes);
            boxes.Add(box);
            world.Audit.BoxMade(box);
            world.Trace($"provider makes {box}");
            box.PowerOn(dials: !Take(Faults.NeverDial, () => Faults.NeverDial--));
        }

        return new EffectOutcome.SandboxCreated(box.Handle);
    }

    private SandboxStatus StatusOf(SandboxHandle handle)
    {
        if (Take(Faults.InspectsUnreachable, () => Faults.InspectsUnreachable--)) return SandboxStatus.Unreachable;
        if (boxes.Find(b => b.Handle == handle) is not { } box) return SandboxStatus.NotFound;
        return box.IsRunning ? SandboxStatus.Running : SandboxStatus.Stopped;
    }

    private void Destroy(int session, SessionEffect.DestroySandbox destroy, Action<TimeSpan, EffectOutcome> answer)
    {
        if (Take(Faults.DestroysRefused, () => Faults.DestroysRefused--))
        {
            answer(TimeSpan.Zero, Effects.Failed("sandbox_unavailable"));
            return;
        }

        if (Take(Faults.DestroysLied, () => Faults.DestroysLied--))
        {
            foreach (var box in boxes.Where(b => b.Sandbox == destroy.Sandbox)) box.Hang();
            answer(TimeSpan.Zero, new EffectOutcome.Succeeded());
            return;
        }

        if (destroy.Handle is { } handle && boxes.Find(b => b.Handle == handle) is { } known) End(known, destroy.KeepData);
        if (destroy.Handle is null && destroy.KeepData)
            foreach (var box in List().Where(b => b.Sandbox == destroy.Sandbox)) End(box, keepData: true);
        if (!destroy.KeepData)
            foreach (var box in List().Where(b => b.Session == session && b.Generation <= destroy.Generation)) End(box, keepData: false);
        answer(Take(Faults.DestroyAnswersLost, () => Faults.DestroyAnswersLost--) ? Lost : TimeSpan.Zero, new EffectOutcome.Succeeded());
    }

    private static bool Take(int left, Action take)
    {
        if (left <= 0) return false;
        take();
        return true;
    }
}

/// <summary>How many of its next calls go wrong, by the way in which they do.</summary>
internal sealed class ProviderFaults
{
    public int CreateAnswersLost { get; set; }

    public int CreatesUnavailable { get; set; }

    public int CreatesRefused { get; set; }

    public int CreatesSlow { get; set; }

    public int NeverDial { get; set; }

    public int DestroysRefused { get; set; }

    public int DestroyAnswersLost { get; set; }

    public int DestroysLied { get; set; }

    public int InspectsUnreachable { get; set; }

    public int ListsIncomplete { get; set; }

    public void Clear() =>
        (CreateAnswersLost, CreatesUnavailable, CreatesRefused, CreatesSlow, NeverDial, DestroysRefused, DestroyAnswersLost, DestroysLied, InspectsUnreachable, ListsIncomplete) = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
}
