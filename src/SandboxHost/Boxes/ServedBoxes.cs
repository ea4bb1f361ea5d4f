using System.Globalization;
using Coordinator.Adapters.LocalSandbox;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Compute.DataPlane;
using Microsoft.Extensions.Options;

namespace Coordinator.SandboxHost.Boxes;

/// <summary>The boxes of this machine in the words of the data plane.</summary>
internal sealed class ServedBoxes(ISandboxProvider provider, CreateLedger ledger, IOptions<LocalSandboxOptions> local, IOptions<SandboxHostOptions> options, TimeProvider time)
{
    private static readonly Dictionary<string, string> Every = [];

    private readonly KeyedLocks creating = new();

    public string Node => local.Value.Node;

    /// <summary>Creates a box, or finds the one that this create made before.</summary>
    /// <exception cref="PortException"><see cref="PortFailureKind.Rejected"/> also for a key that was used for another box, or whose box was destroyed.</exception>
    public async Task<SandboxAnswer> CreateAsync(CreateSandboxBody body, CancellationToken cancellationToken)
    {
        var spec = SpecReader.Read(body);
        using (await creating.EnterAsync(body.IdempotencyKey, cancellationToken))
        {
            var fingerprint = CreateLedger.FingerprintOf(body);
            var known = ledger.Find(body.IdempotencyKey);
            if (known is not null && known.Fingerprint != fingerprint) throw Rejected($"The idempotency key '{body.IdempotencyKey}' was used for another create.");
            if (known?.DestroyedAt is not null) throw Rejected($"{spec.Sandbox} was created and destroyed; it is not made again.");
            if (ledger.Find(spec.Sandbox) is { } other && other.Key != body.IdempotencyKey) throw Rejected($"{spec.Sandbox} was created under another idempotency key.");
            var now = time.GetUtcNow();
            var expiry = known?.ExpiresAt ?? now + TimeSpan.FromSeconds(Math.Clamp(body.TtlSeconds, 60, options.Value.LongestTtlSeconds));
            await ledger.WriteAsync(new(body.IdempotencyKey, fingerprint, spec.Sandbox, spec.Session, body.Bridge.Url, known?.CreatedAt ?? now, expiry, null), cancellationToken);

            // From here on the box is made or not, whether the caller still listens or not: its next try finds out which.
            var handle = await provider.CreateAsync(spec, CancellationToken.None);
            return await InspectAsync(IdOf(handle), cancellationToken) ?? throw new PortException(PortFailureKind.Unavailable, $"{spec.Sandbox} was gone as soon as it was made.");
        }
    }

    /// <summary>Null when there is certainly no such box.</summary>
    public async Task<SandboxAnswer?> InspectAsync(string id, CancellationToken cancellationToken)
    {
        if (HandleOf(id) is not { } handle) return null;
        var seen = await provider.InspectAsync(handle, cancellationToken);
        if (seen.Status is SandboxStatus.NotFound) return null;
        if (seen.Status is SandboxStatus.Unreachable) throw new PortException(PortFailureKind.Unavailable, seen.Detail ?? "The box cannot be reached.");
        Dictionary<string, string> labels = new(StringComparer.Ordinal) { [SandboxLabels.Sandbox] = SandboxOf(id)!.Value.Sandbox.ToString() };
        await foreach (var listing in provider.ListAsync(labels, cancellationToken))
        {
            if (listing.Handle == handle) return Answer(listing, seen);
        }

        return null;
    }

    public async Task<SandboxesAnswer> ListAsync(IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        List<SandboxAnswer> items = [];
        await foreach (var listing in provider.ListAsync(labels, cancellationToken)) items.Add(Answer(listing, null));
        return new(Node, items);
    }

    /// <summary>Ends a box for certain; an absent one is a success.</summary>
    public async Task DestroyAsync(string id, bool keepData, CancellationToken cancellationToken)
    {
        if (HandleOf(id) is not { } handle) return;
        await provider.DestroyAsync(handle, keepData, cancellationToken);
        if (!keepData && ledger.Find(SandboxOf(id)!.Value.Sandbox) is { DestroyedAt: null } known) await ledger.WriteAsync(known with { DestroyedAt = time.GetUtcNow() }, CancellationToken.None);
    }

    public async Task<DataPlaneHealth> HealthAsync(CancellationToken cancellationToken)
    {
        var running = await CountRunningAsync(cancellationToken);
        var can = provider.Capabilities;
        return new(
            "ok",
            Node,
            new(running, local.Value.MaxBoxes),
            can is null ? null : new(can.KeepsData, can.Snapshots, Images: false, can.EnforcesMemory, can.EnforcesEgress),
            [.. local.Value.Agents.Keys.Order(StringComparer.Ordinal)]);
    }

    /// <summary>As far as can be told: one damaged record on this machine is no reason to use none of it.</summary>
    private async ValueTask<int> CountRunningAsync(CancellationToken cancellationToken)
    {
        var running = 0;
        try
        {
            await foreach (var listing in provider.ListAsync(Every, cancellationToken)) running += listing.Status is SandboxStatus.Running ? 1 : 0;
        }
        catch (PortException)
        {
            return running; // the reaper logs what could not be listed
        }

        return running;
    }

    /// <summary>A driver's id may hold a slash, which would end a part of a path.</summary>
    private static string IdOf(SandboxHandle handle) => handle.Id.Replace('/', '.');

    /// <summary>Null for what cannot be the id of a box here.</summary>
    private SandboxHandle? HandleOf(string id) =>
        SandboxOf(id) is { } box ? new(provider.Name, string.Create(CultureInfo.InvariantCulture, $"{box.Session}/{box.Sandbox}"), Node) : null;

    private static (SessionId Session, SandboxId Sandbox)? SandboxOf(string id) =>
        id.Split('.') is [var first, var second] && SessionId.TryParse(first, out var session) && SandboxId.TryParse(second, out var sandbox) ? (session, sandbox) : null;

    private SandboxAnswer Answer(SandboxListing listing, SandboxInspection? seen) => new(
        IdOf(listing.Handle),
        Node,
        (seen?.Status ?? listing.Status) is SandboxStatus.Running ? SandboxAnswer.Running : SandboxAnswer.Stopped,
        seen?.Detail,
        listing.Labels,
        listing.CreatedAt);

    private static PortException Rejected(string message) => new(PortFailureKind.Rejected, message);
}
