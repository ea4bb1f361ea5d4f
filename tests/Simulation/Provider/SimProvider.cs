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
    private readonly Dice dice = new(world.Plan.Seed, Streams.Provider);
    private readonly List<SimBox> boxes = [];
    private int made;

    public ProviderFaults Faults { get; } = new();

    /// <summary>Boxes that exist at the provider, in the order they were made.</summary>
    public IReadOnlyList<SimBox> Boxes => boxes;

    public IEnumerable<SimBox> Running => boxes.Where(box => box.IsRunning);

    public SimBox? Of(int session) => boxes.FindLast(box => box.Session == session && box.IsRunning);

    /// <summary>Those with all of the labels; an incomplete answer says that it is, or, worse, does not.</summary>
    public (IReadOnlyList<SandboxListing> Found, PortException? Failure) List(IReadOnlyDictionary<string, string> labels)
    {
        var found = boxes.FindAll(box => labels.All(label => box.Labels.GetValueOrDefault(label.Key) == label.Value));
        if (!Take(Faults.ListsIncomplete, () => Faults.ListsIncomplete--)) return ([.. found.Select(Listed)], null);
        List<SandboxListing> told = [];
        foreach (var box in found)
        {
            if (dice.Percent(50)) told.Add(Listed(box));
            else box.Foiled();
        }

        return (told, dice.Percent(50) ? new(PortFailureKind.Unavailable, "One of the machines does not answer.") : null);

        SandboxListing Listed(SimBox box) => new(box.Handle, box.IsRunning ? SandboxStatus.Running : SandboxStatus.Stopped, box.Labels, world.Epoch + box.MadeAt);
    }

    public void Create(SandboxSpec spec, Action<Served<SandboxHandle>> answer)
    {
        var restores = world.Database.Restores; // a slow one is made when the database may have gone back behind what asked for it
        if (Take(Faults.CreatesRefused, () => Faults.CreatesRefused--)) answer(Failed<SandboxHandle>(PortFailureKind.Rejected));
        else if (Take(Faults.CreatesUnavailable, () => Faults.CreatesUnavailable--)) answer(Failed<SandboxHandle>(PortFailureKind.Unavailable));
        else if (Take(Faults.CreatesSlow, () => Faults.CreatesSlow--)) world.After(TimeSpan.FromSeconds(5 + dice.Below(200)), () => answer(new(Make(spec, restores))));
        else answer(new(Make(spec, restores), IsLost: Take(Faults.CreateAnswersLost, () => Faults.CreateAnswersLost--)));
    }

    public SandboxInspection Inspect(SandboxHandle handle)
    {
        if (Take(Faults.InspectsUnreachable, () => Faults.InspectsUnreachable--)) return new(SandboxStatus.Unreachable, null);
        if (boxes.Find(b => b.Handle == handle) is not { } box) return new(SandboxStatus.NotFound, null);
        return new(box.IsRunning ? SandboxStatus.Running : SandboxStatus.Stopped, null);
    }

    /// <param name="handle">Which box; one that is not there is a success.</param>
    /// <param name="keepData">Its data stays for the next.</param>
    /// <param name="restores">How often the database had gone back when this was asked.</param>
    public Served<bool> Destroy(SandboxHandle handle, bool keepData, int restores)
    {
        if (boxes.Find(b => b.Handle == handle) is not { } box) return new(true);
        if (Take(Faults.DestroysRefused, () => Faults.DestroysRefused--))
        {
            box.Foiled();
            return Failed<bool>(PortFailureKind.Unavailable);
        }

        if (Take(Faults.DestroysLied, () => Faults.DestroysLied--))
        {
            box.Foiled();
            box.Hang();
            return new(true);
        }

        if (box.IsRunning) world.Audit.BoxTurnedAway(box, "destroyed", restores);
        box.Die("destroyed");
        if (!keepData) boxes.Remove(box);
        return new(true, IsLost: Take(Faults.DestroyAnswersLost, () => Faults.DestroyAnswersLost--));
    }

    private SandboxHandle Make(SandboxSpec spec, int restores)
    {
        var box = world.Mutation == Mutation.CreateNotIdempotent ? null : boxes.Find(b => b.Sandbox == spec.Sandbox);
        if (box is not null) return box.Handle;
        var session = Names.IndexOf(spec.Session);
        // A create that comes late takes nothing from the boxes that followed: theirs may be asked for once more.
        var resumes = boxes.RemoveAll(b => b.Session == session && !b.IsRunning && b.Generation < spec.Generation) > 0;
        box = new SimBox(world, ++made, spec, resumes, restores);
        boxes.Add(box);
        world.Audit.BoxMade(box);
        world.Trace($"provider makes {box}");
        box.PowerOn(dials: !Take(Faults.NeverDial, () => Faults.NeverDial--));
        return box.Handle;
    }

    private static Served<T> Failed<T>(PortFailureKind kind) => new(default, new PortException(kind, "Simulated."));

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
