using System.Runtime.CompilerServices;
using Coordinator.Ports;
using Coordinator.Ports.Compute;

namespace Coordinator.Fakes;

/// <summary>
/// Boxes that are entries of a table, with the semantics of the real ones: one per sandbox id whatever is asked twice,
/// a session's data from box to box, an older box ended before a newer one starts.
/// </summary>
public sealed class InMemorySandboxProvider(TimeProvider time, string name = "memory", string? node = null) : ISandboxProvider
{
    private readonly Lock gate = new();
    private readonly Dictionary<SandboxId, Box> boxes = [];
    private readonly Dictionary<SessionId, Dictionary<string, string>> data = [];

    public string Name => name;

    /// <summary>Null: as a provider that nothing of it has answered yet.</summary>
    public SandboxCapabilities? Capabilities { get; set; } = new(KeepsData: true, Snapshots: false, EnforcesMemory: true, EnforcesEgress: true);

    /// <summary>The machine that this provider places a box on; null: there is nothing to choose.</summary>
    public Func<SandboxSpec, string?> Places { get; set; } = _ => null;

    /// <summary>Faults of <see cref="PlaceAsync"/>.</summary>
    public FaultSwitch PlaceFaults { get; } = new();

    /// <summary>Faults of <see cref="CreateAsync"/>; an after-effect one is a box whose answer was lost.</summary>
    public FaultSwitch CreateFaults { get; } = new();

    /// <summary>Faults of <see cref="InspectAsync"/> and <see cref="ListAsync"/>.</summary>
    public FaultSwitch LookFaults { get; } = new();

    /// <summary>Faults of <see cref="DestroyAsync"/>.</summary>
    public FaultSwitch DestroyFaults { get; } = new();

    /// <summary>What runs in a box once it is there, such as a bridge that dials back; null: boxes that never do.</summary>
    public Func<SandboxSpec, CancellationToken, ValueTask>? Program { get; set; }

    /// <summary>Told when a box stops running, whatever the reason, as the processes in it are; must not wait.</summary>
    public Action<SandboxId>? Ended { get; set; }

    /// <summary>Boxes that listings leave out, as a provider's index does that lags behind.</summary>
    public Func<SandboxId, bool> HideFromListings { get; set; } = _ => false;

    /// <summary>Boxes of machines that do not answer: listings tell of the others and then fail.</summary>
    public Func<SandboxHandle, bool> IsSilent { get; set; } = _ => false;

    /// <summary>How many boxes were really made; the second create of one does not count.</summary>
    public int Made { get; private set; }

    /// <summary>The boxes that run now.</summary>
    public IReadOnlyList<SandboxId> Running
    {
        get
        {
            lock (gate) return [.. boxes.Values.Where(box => box.Status == SandboxStatus.Running).Select(box => box.Spec.Sandbox)];
        }
    }

    public ValueTask<string?> PlaceAsync(SandboxSpec spec, CancellationToken cancellationToken) =>
        PlaceFaults.Run(() =>
        {
            DemandCapable(spec);
            return Places(spec);
        }, cancellationToken);

    public async ValueTask<SandboxHandle> CreateAsync(SandboxSpec spec, CancellationToken cancellationToken)
    {
        var isNew = false;
        try
        {
            return await CreateFaults.Run(
                () =>
                {
                    var handle = Make(spec, out var made);
                    isNew |= made;
                    return handle;
                },
                cancellationToken);
        }
        finally
        {
            // A box whose answer was lost dials back all the same.
            if (isNew && Program is { } program) await program(spec, cancellationToken);
        }
    }

    public ValueTask<SandboxInspection> InspectAsync(SandboxHandle handle, CancellationToken cancellationToken) =>
        LookFaults.Run(() =>
        {
            if (handle.Node != node) return new SandboxInspection(SandboxStatus.Unreachable, $"It lives on {handle.Node}.");
            lock (gate) return Find(handle) is { } box ? new(box.Status, box.Detail) : new SandboxInspection(SandboxStatus.NotFound, null);
        }, cancellationToken);

    public async IAsyncEnumerable<SandboxListing> ListAsync(IReadOnlyDictionary<string, string> labels, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var found = await LookFaults.Run<IReadOnlyList<SandboxListing>>(() =>
        {
            lock (gate) return [.. boxes.Values.Where(box => Matches(box, labels)).Select(box => new SandboxListing(HandleOf(box.Spec), box.Status, box.Spec.Labels, box.CreatedAt))];
        }, cancellationToken);
        var silent = found.Count(listing => IsSilent(listing.Handle));
        foreach (var listing in found.Where(listing => !IsSilent(listing.Handle))) yield return listing;
        if (silent > 0) throw new PortException(PortFailureKind.Unavailable, $"The fake was told to leave {silent} boxes untold.");
    }

    public async ValueTask DestroyAsync(SandboxHandle handle, bool keepData, CancellationToken cancellationToken) =>
        await DestroyFaults.Run(() =>
        {
            if (handle.Node != node) throw new PortException(PortFailureKind.Unavailable, $"The box lives on {handle.Node}.");
            lock (gate) End(handle, keepData);
        }, cancellationToken);

    /// <summary>The box ends by itself, as by a crash or for want of memory.</summary>
    public void Die(SandboxId sandbox, string? detail = "exit 1")
    {
        lock (gate)
        {
            boxes[sandbox].Status = SandboxStatus.Stopped;
            boxes[sandbox].Detail = detail;
        }

        Ended?.Invoke(sandbox);
    }

    /// <summary>Writes a file of a session's workspace, as the program in its box would.</summary>
    public void Write(SessionId session, string file, string text)
    {
        lock (gate) data[session][file] = text;
    }

    /// <summary>A file of a session's workspace; null when it, or the whole workspace, is not there.</summary>
    public string? Read(SessionId session, string file)
    {
        lock (gate) return data.GetValueOrDefault(session)?.GetValueOrDefault(file);
    }

    private void DemandCapable(SandboxSpec spec)
    {
        if (spec.Requires == SandboxCapabilities.None) return;
        if (Capabilities is not { } can) throw new PortException(PortFailureKind.Unavailable, $"The sandbox provider '{name}' has not told yet what it can do, and a box must be able to do {string.Join(", ", spec.Requires.Held)}.");
        if (can.Lacks(spec.Requires) is [_, ..] lacking) throw new PortException(PortFailureKind.Incapable, $"A box must be able to do {string.Join(", ", lacking)}, which the sandbox provider '{name}' does not do.");
    }

    private SandboxHandle Make(SandboxSpec spec, out bool isNew)
    {
        DemandCapable(spec);
        if (spec.Node is not null && spec.Node != node) throw new PortException(PortFailureKind.Unavailable, $"The box is to be made on {spec.Node}.");
        lock (gate)
        {
            isNew = !boxes.ContainsKey(spec.Sandbox);
            if (!isNew) return HandleOf(spec);
            var others = boxes.Values.Where(box => box.Spec.Session == spec.Session).ToList();
            if (others.Exists(other => other.Spec.Generation > spec.Generation))
                throw new PortException(PortFailureKind.Rejected, $"Generation {spec.Generation} is out of date.");
            foreach (var older in others)
            {
                boxes.Remove(older.Spec.Sandbox);
                Ended?.Invoke(older.Spec.Sandbox);
            }

            boxes[spec.Sandbox] = new(spec, time.GetUtcNow());
            data.TryAdd(spec.Session, new(StringComparer.Ordinal));
            Made++;
            return HandleOf(spec);
        }
    }

    private void End(SandboxHandle handle, bool keepData)
    {
        if (Find(handle) is not { } box) return;
        box.Status = SandboxStatus.Stopped;
        box.Detail ??= "destroyed";
        Ended?.Invoke(box.Spec.Sandbox);
        if (keepData) return;
        boxes.Remove(box.Spec.Sandbox);
        var others = boxes.Values.Where(other => other.Spec.Session == box.Spec.Session).ToList();
        if (others.Exists(other => other.Spec.Generation > box.Spec.Generation)) return;
        foreach (var older in others) boxes.Remove(older.Spec.Sandbox);
        data.Remove(box.Spec.Session);
    }

    private bool Matches(Box box, IReadOnlyDictionary<string, string> labels) =>
        !HideFromListings(box.Spec.Sandbox) && labels.All(label => box.Spec.Labels.TryGetValue(label.Key, out var value) && value == label.Value);

    private Box? Find(SandboxHandle handle) => boxes.Values.FirstOrDefault(box => HandleOf(box.Spec).Id == handle.Id);

    private SandboxHandle HandleOf(SandboxSpec spec) => new(name, spec.Sandbox.ToString(), node);

    private sealed class Box(SandboxSpec spec, DateTimeOffset createdAt)
    {
        public SandboxSpec Spec { get; } = spec;

        public DateTimeOffset CreatedAt { get; } = createdAt;

        public SandboxStatus Status { get; set; } = SandboxStatus.Running;

        public string? Detail { get; set; }
    }
}
