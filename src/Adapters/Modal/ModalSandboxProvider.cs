using System.Runtime.CompilerServices;
using Coordinator.Adapters.Modal.DataPlane;
using Coordinator.Adapters.Modal.Pool;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Compute.DataPlane;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Coordinator.Adapters.Modal;

/// <summary>
/// Boxes behind Modal-compatible data planes (docs/protocol.md). A handle names the node its box lives on; what cannot be
/// asked is unreachable, and never not found; a destroy gives it up only when every data plane answers and none is its node.
/// </summary>
internal sealed partial class ModalSandboxProvider(NodePool pool, Placement placement, DataPlaneClient client, IOptions<ModalSandboxOptions> options, ILogger<ModalSandboxProvider> logger) : ISandboxProvider
{
    public const string ProviderName = "modal";

    private static readonly Dictionary<string, string> NoEnvironment = [];

    private readonly ModalSandboxOptions options = options.Value;

    public string Name => ProviderName;

    /// <summary>What every known node says that it can do; null before one has answered.</summary>
    public SandboxCapabilities? Capabilities
    {
        get
        {
            var told = pool.Known.Select(node => node.Can).ToList();
            return told.Count == 0 ? null : new(told.TrueForAll(can => can.KeepsData), told.TrueForAll(can => can.Snapshots), told.TrueForAll(can => can.EnforcesMemory), told.TrueForAll(can => can.EnforcesEgress));
        }
    }

    public async ValueTask<string?> PlaceAsync(SandboxSpec spec, CancellationToken cancellationToken) => (await placement.ChooseAsync(spec, cancellationToken)).Name;

    public async ValueTask<SandboxHandle> CreateAsync(SandboxSpec spec, CancellationToken cancellationToken)
    {
        if (spec.Node is null) throw new PortException(PortFailureKind.Rejected, $"{spec.Sandbox} was not placed: which data plane makes it must be known before it is asked.");
        var node = await FindPlaceAsync(spec.Node, cancellationToken);
        try
        {
            var made = await client.CreateAsync(node.Url, node.Name, BodyOf(spec), cancellationToken);
            LogCreated(spec.Sandbox, spec.Generation, made.Node);
            return new(ProviderName, made.Id, made.Node);
        }
        catch (DataPlaneException e)
        {
            if (e.Failed.Code == DataPlaneProblem.WrongNode) pool.Forget(node);
            if (e.Failed.Failure.Kind is PortFailureKind.Full) placement.PassOver(node);
            throw e.Failed.Failure;
        }
    }

    public async ValueTask<SandboxInspection> InspectAsync(SandboxHandle handle, CancellationToken cancellationToken)
    {
        Demand(handle);
        if (await pool.FindAsync(handle.Node, cancellationToken) is not { } node) return new(SandboxStatus.Unreachable, pool.WhyNone(handle.Node));
        try
        {
            var seen = await client.InspectAsync(node.Url, node.Name, handle.Id, cancellationToken);
            return new(StatusOf(seen), seen.Detail);
        }
        catch (DataPlaneException e)
        {
            if (e.Failed.Code == DataPlaneProblem.NotFound) return new(SandboxStatus.NotFound, null);
            if (e.Failed.Code == DataPlaneProblem.WrongNode) pool.Forget(node);
            if (e.Failed.Failure.Kind is PortFailureKind.Unavailable or PortFailureKind.Timeout) return new(SandboxStatus.Unreachable, e.Failed.Failure.Message);
            throw e.Failed.Failure;
        }
    }

    /// <summary>Boxes of every node that answers; then, when one did not, the failure: what was told is true, and not all.</summary>
    public async IAsyncEnumerable<SandboxListing> ListAsync(IReadOnlyDictionary<string, string> labels, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var view = await pool.AskAsync((node, token) => client.ListAsync(node.Url, labels, token), refresh: false, cancellationToken);
        foreach (var box in view.Answers.SelectMany(one => one.Answer.Items)) yield return new(new(ProviderName, box.Id, box.Node), StatusOf(box), box.Labels, box.CreatedAt);
        if (view.Silent is [var silent, ..]) throw silent.Failure;
    }

    public async ValueTask DestroyAsync(SandboxHandle handle, bool keepData, CancellationToken cancellationToken)
    {
        Demand(handle);
        if (await pool.FindAsync(handle.Node, cancellationToken) is not { } node)
        {
            if (handle.Node is null || !await pool.IsGoneAsync(handle.Node, cancellationToken))
                throw new PortException(PortFailureKind.Unavailable, $"The box lives on {handle.Node}. {pool.WhyNone(handle.Node)}");

            // There is nobody left to end it at, and a session that waited for that would wait for ever. Should the node come
            // back, its boxes are listed again, and swept.
            LogGivenUp(handle.Id, handle.Node);
            return;
        }

        try
        {
            await client.DestroyAsync(node.Url, node.Name, handle.Id, keepData, cancellationToken);
        }
        catch (DataPlaneException e)
        {
            if (e.Failed.Code == DataPlaneProblem.WrongNode) pool.Forget(node);
            throw e.Failed.Failure;
        }
    }

    /// <summary>The node a box was placed on. One that is silent may have the box; one that is no data plane of ours any more cannot be asked for it.</summary>
    private async Task<PoolNode> FindPlaceAsync(string name, CancellationToken cancellationToken)
    {
        if (pool.Cached(name) is { } cached) return cached;
        var view = await pool.AskHealthAsync(cancellationToken);
        if (pool.Cached(name) is { } found) return found;
        throw view.Silent is [var silent, ..]
            ? new PortException(PortFailureKind.Unavailable, $"The box is made on {name} or nowhere, and that does not answer. {silent.Failure.Message}", inner: silent.Failure)
            : new PortException(PortFailureKind.Rejected, $"The box was to be made on {name}, which is none of the data planes any more ({ModalSandboxOptions.Section}:Urls).");
    }

    private CreateSandboxBody BodyOf(SandboxSpec spec) => new(
        IdempotencyKey: spec.Sandbox.ToString(),
        Name: spec.Sandbox.ToString(),
        Image: options.Image.Length == 0 ? null : options.Image,
        spec.Agent,
        new(spec.Resources.MemoryBytes, spec.Resources.Processes, spec.Resources.Cpus, spec.Resources.DiskBytes),
        NoEnvironment,
        new(options.ControlPlaneUrl.TrimEnd('/'), spec.BridgeToken, spec.Organization.ToString(), spec.Session.ToString(), spec.Generation),
        Repository: null,
        options.TtlSeconds,
        spec.Labels,
        spec.Requires == SandboxCapabilities.None ? null : [.. spec.Requires.Held]);

    private static SandboxStatus StatusOf(SandboxAnswer box) => box.Status == SandboxAnswer.Running ? SandboxStatus.Running : SandboxStatus.Stopped;

    private static void Demand(SandboxHandle handle)
    {
        if (handle.Provider != ProviderName) throw new PortException(PortFailureKind.Rejected, $"This is the handle of a box of '{handle.Provider}', not of a data plane.");
    }

    [LoggerMessage(5502, LogLevel.Warning, "Box {Id} was on {Node}, which is none of the data planes any more: it is given up, with what its session left there.")]
    private partial void LogGivenUp(string id, string node);

    [LoggerMessage(5501, LogLevel.Information, "Box {Sandbox} (generation {Generation}) runs on {Node}.")]
    private partial void LogCreated(SandboxId sandbox, int generation, string node);
}
