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
/// asked is unreachable, and never not found.
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
            var told = pool.Known.Select(node => node.Health.Capabilities).ToList();
            return told.Count == 0 ? null : new(Every(one => one.KeepsData), Every(one => one.Snapshots), Every(one => one.EnforcesMemory), Every(one => one.EnforcesEgress));

            // A node that says nothing of it promises nothing.
            bool Every(Predicate<DataPlaneCapabilities> can) => told.TrueForAll(one => one is not null && can(one));
        }
    }

    public async ValueTask<SandboxHandle> CreateAsync(SandboxSpec spec, CancellationToken cancellationToken)
    {
        PortException? full = null;
        foreach (var node in await placement.CandidatesAsync(spec, cancellationToken))
        {
            var isFirst = placement.Tried(spec.Sandbox, node);
            try
            {
                var made = await client.CreateAsync(node.Url, node.Name, BodyOf(spec), cancellationToken);
                placement.Settled(spec.Sandbox);
                LogCreated(spec.Sandbox, spec.Generation, made.Node);
                return new(ProviderName, made.Id, made.Node);
            }
            catch (DataPlaneException e)
            {
                if (e.Failed.Code == DataPlaneProblem.WrongNode) pool.Forget(node);
                if (e.Failed.Failure.EffectMayHaveHappened) throw e.Failed.Failure;

                // A node that was not reached says nothing of what an earlier try may have made there.
                if (isFirst || e.Failed.Failure.Kind is not (PortFailureKind.Unavailable or PortFailureKind.Timeout)) placement.Settled(spec.Sandbox);
                if (e.Failed.Failure.Kind is not PortFailureKind.Full) throw e.Failed.Failure;
                full = e.Failed.Failure;
            }
        }

        throw full ?? new PortException(PortFailureKind.Unavailable, "No data plane answers.");
    }

    public async ValueTask<SandboxInspection> InspectAsync(SandboxHandle handle, CancellationToken cancellationToken)
    {
        Demand(handle);
        if (await pool.FindAsync(handle.Node, cancellationToken) is not { } node) return new(SandboxStatus.Unreachable, $"No data plane that answers is {handle.Node}.");
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
        var node = await pool.FindAsync(handle.Node, cancellationToken)
            ?? throw new PortException(PortFailureKind.Unavailable, $"The box lives on {handle.Node}, which is none of the data planes that answer.");
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
        spec.Labels);

    private static SandboxStatus StatusOf(SandboxAnswer box) => box.Status == SandboxAnswer.Running ? SandboxStatus.Running : SandboxStatus.Stopped;

    private static void Demand(SandboxHandle handle)
    {
        if (handle.Provider != ProviderName) throw new PortException(PortFailureKind.Rejected, $"This is the handle of a box of '{handle.Provider}', not of a data plane.");
    }

    [LoggerMessage(5501, LogLevel.Information, "Box {Sandbox} (generation {Generation}) runs on {Node}.")]
    private partial void LogCreated(SandboxId sandbox, int generation, string node);
}
