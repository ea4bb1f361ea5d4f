namespace Coordinator.Ports.Compute;

/// <summary>
/// Creates, finds and destroys dev boxes. A box always dials out to the control plane; the provider need not offer a
/// way in. Every box carries its labels, so that it can be found by anybody who lost its handle.
/// </summary>
[Port(Plane.Compute)]
public interface ISandboxProvider
{
    /// <summary>The provider's name in configuration and events, such as <c>local</c>.</summary>
    string Name { get; }

    /// <summary>
    /// What it can do. Null while it cannot tell, because none of the machines that make its boxes has answered yet; once a
    /// listing has succeeded it can.
    /// </summary>
    SandboxCapabilities? Capabilities { get; }

    /// <summary>
    /// On which of its machines a box is to be made; makes nothing. Null: there is nothing to choose. The caller writes the
    /// answer down before it creates, and gives it along with every try (<see cref="SandboxSpec.Node"/>), whichever process
    /// makes it: so a create whose answer was lost is never made on another machine.
    /// </summary>
    /// <exception cref="PortException">
    /// <see cref="PortFailureKind.Incapable"/>: no machine can do what is required, with what each lacks.
    /// <see cref="PortFailureKind.Full"/>: none has room now. <see cref="PortFailureKind.Unavailable"/>: none can be named now.
    /// </exception>
    ValueTask<string?> PlaceAsync(SandboxSpec spec, CancellationToken cancellationToken);

    /// <summary>
    /// Creates a box on the machine it was placed on, or nowhere. Idempotent by <see cref="SandboxSpec.Sandbox"/>: a second
    /// call finds the first one's box, running or not, and never makes another.
    /// </summary>
    /// <exception cref="PortException">
    /// <see cref="PortFailureKind.Rejected"/>: the spec cannot be met here, with the reason.
    /// <see cref="PortFailureKind.Incapable"/>: something that is required cannot be done here.
    /// <see cref="PortFailureKind.Full"/>: no room now, and no box of an earlier try: it may be placed anew. Others as their
    /// kind says; with <see cref="PortException.EffectMayHaveHappened"/> a box may exist: call again or destroy by label.
    /// </exception>
    ValueTask<SandboxHandle> CreateAsync(SandboxSpec spec, CancellationToken cancellationToken);

    /// <summary>
    /// What the provider knows of the box. <see cref="SandboxStatus.NotFound"/> only when it is certain that no such box
    /// runs; a provider that cannot tell (another machine's box) answers <see cref="SandboxStatus.Unreachable"/>.
    /// </summary>
    ValueTask<SandboxInspection> InspectAsync(SandboxHandle handle, CancellationToken cancellationToken);

    /// <summary>
    /// Boxes that run or left data, with all of the given labels. When some cannot be told (one machine of several does not
    /// answer), those that can come first, and then the failure: a listing that ends without one is whole. A box of which
    /// some labels cannot be read any more is told to whoever may mean it, with the others: better twice than to nobody.
    /// </summary>
    IAsyncEnumerable<SandboxListing> ListAsync(IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken);

    /// <summary>
    /// Ends the box and everything in it; returns only when nothing of it runs any more. Idempotent: an absent box is a
    /// success, and so is one of a machine that is certainly none of the provider's any more. With <paramref name="keepData"/> the workspace and home of its session are kept for the next box.
    /// </summary>
    ValueTask DestroyAsync(SandboxHandle handle, bool keepData, CancellationToken cancellationToken);
}

/// <summary>What a provider can do beyond the minimum.</summary>
public sealed record SandboxCapabilities(bool KeepsData, bool Snapshots, bool EnforcesMemory, bool EnforcesEgress)
{
    /// <summary>Nothing beyond the minimum.</summary>
    public static SandboxCapabilities None { get; } = new(KeepsData: false, Snapshots: false, EnforcesMemory: false, EnforcesEgress: false);

    /// <summary>The names of all capabilities there are.</summary>
    public static IReadOnlyList<string> Names { get; } = [nameof(KeepsData), nameof(Snapshots), nameof(EnforcesMemory), nameof(EnforcesEgress)];

    /// <summary>The names of those that there are here.</summary>
    public IEnumerable<string> Held => Names.Zip([KeepsData, Snapshots, EnforcesMemory, EnforcesEgress]).Where(one => one.Second).Select(one => one.First);

    /// <summary>Capabilities by name, in whatever case; names of none are passed over.</summary>
    public static SandboxCapabilities Of(IEnumerable<string> names)
    {
        var held = names.ToHashSet(StringComparer.OrdinalIgnoreCase);
        return new(held.Contains(nameof(KeepsData)), held.Contains(nameof(Snapshots)), held.Contains(nameof(EnforcesMemory)), held.Contains(nameof(EnforcesEgress)));
    }

    /// <summary>The names of those that are required and not here.</summary>
    public IReadOnlyList<string> Lacks(SandboxCapabilities required) => [.. required.Held.Except(Held, StringComparer.Ordinal)];
}

/// <summary>
/// What a box is made from. <see cref="BridgeToken"/> authenticates the box and is its only secret.
/// Labels always hold <c>coordinator.organization</c>, <c>.session</c>, <c>.sandbox</c>, <c>.generation</c>.
/// </summary>
public sealed record SandboxSpec(
    SandboxId Sandbox,
    int Generation,
    OrganizationId Organization,
    SessionId Session,
    string Agent,
    SandboxResources Resources,
    IReadOnlyDictionary<string, string> Labels,
    string BridgeToken)
{
    /// <summary>The machine that the box was placed on (<see cref="ISandboxProvider.PlaceAsync"/>); null where there is nothing to choose.</summary>
    public string? Node { get; init; }

    /// <summary>The machine that has the session's workspace; null: not known, or there is none.</summary>
    public string? Home { get; init; }

    /// <summary>What must be able to be done where the box is made.</summary>
    public SandboxCapabilities Requires { get; init; } = SandboxCapabilities.None;

    /// <summary>Never prints the token.</summary>
    public override string ToString() => $"{Sandbox} generation {Generation} of {Session}";
}

/// <summary>Limits of a box. Memory and disk in bytes; CPU in cores.</summary>
public sealed record SandboxResources(long MemoryBytes, int Processes, double Cpus, long DiskBytes)
{
    /// <summary>1.5 GiB, 256 processes, 2 cores, 8 GiB: OpenCode needs 1 GiB alone.</summary>
    public static SandboxResources Default { get; } = new(1536L * 1024 * 1024, 256, 2, 8L * 1024 * 1024 * 1024);
}

/// <summary>How to find a box again: the provider, its own id for it, and the node it lives on when it is bound to one.</summary>
public sealed record SandboxHandle(string Provider, string Id, string? Node);

/// <summary>What a provider knows of a box.</summary>
public enum SandboxStatus
{
    /// <summary>Its first process lives.</summary>
    Running,
    /// <summary>Ended; its data may be there.</summary>
    Stopped,
    /// <summary>Nothing of it runs, and nothing of it is left, for certain.</summary>
    NotFound,
    /// <summary>It cannot be told from here.</summary>
    Unreachable,
}

/// <summary><see cref="Detail"/> says why it stopped, when that is known (<c>out_of_memory</c>, <c>exit 1</c>).</summary>
public sealed record SandboxInspection(SandboxStatus Status, string? Detail);

/// <summary>One box of a listing: how to find it again, what it is, its labels, and when it was made.</summary>
public sealed record SandboxListing(SandboxHandle Handle, SandboxStatus Status, IReadOnlyDictionary<string, string> Labels, DateTimeOffset CreatedAt);

/// <summary>The label names every provider keeps.</summary>
public static class SandboxLabels
{
    /// <summary>The organization's id.</summary>
    public const string Organization = "coordinator.organization";
    /// <summary>The session's id.</summary>
    public const string Session = "coordinator.session";
    /// <summary>The box's id.</summary>
    public const string Sandbox = "coordinator.sandbox";
    /// <summary>The number of the box among those of its session, from 1.</summary>
    public const string Generation = "coordinator.generation";

    /// <summary>Which deployment made the box, so that two on one machine do not sweep each other's.</summary>
    public const string Deployment = "coordinator.deployment";
}
