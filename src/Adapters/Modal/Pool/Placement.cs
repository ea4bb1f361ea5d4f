using System.Collections.Concurrent;
using System.Globalization;
using Coordinator.Adapters.Modal.DataPlane;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Compute.DataPlane;

namespace Coordinator.Adapters.Modal.Pool;

/// <summary>
/// Which nodes a box may be made on, the best first. A session stays where its data is; a create that was tried on a node
/// stays there, because a box may be there; else the most room wins. Nodes that do not answer may hold the session's data,
/// so only a first box is placed past them.
/// </summary>
internal sealed class Placement(NodePool pool, DataPlaneClient client)
{
    private const int MostTried = 10_000;

    private readonly ConcurrentDictionary<SandboxId, string> tried = new();

    /// <exception cref="PortException">No node can be named now; another try may help.</exception>
    public async Task<IReadOnlyList<PoolNode>> CandidatesAsync(SandboxSpec spec, CancellationToken cancellationToken)
    {
        if (tried.TryGetValue(spec.Sandbox, out var earlier))
            return [await pool.FindAsync(earlier, cancellationToken) ?? throw Unavailable($"The node {earlier}, where {spec.Sandbox} may have been made, does not answer.")];
        if (pool.Urls.Count == 1) return [await OnlyAsync(cancellationToken)];

        Dictionary<string, string> session = new(StringComparer.Ordinal) { [SandboxLabels.Session] = spec.Session.ToString() };
        var view = await pool.AskAsync((node, token) => client.ListAsync(node.Url, session, token), refresh: true, cancellationToken);
        var homes = view.Answers.Where(one => one.Answer.Items.Count > 0).OrderByDescending(one => one.Answer.Items.Max(GenerationOf)).ThenByDescending(one => one.Answer.Items.Max(box => box.CreatedAt)).Select(one => one.Node).ToList();
        if (homes.Count > 0) return [homes[0]];
        if (view.Silent.Count > 0 && (view.Answers.Count == 0 || spec.Generation > 1))
            throw Unavailable($"{Texts(view.Silent)} The session's workspace may be there, so that its box is not made elsewhere.", view.Silent[0].Failure);
        var able = view.Answers.Select(one => one.Node).Where(node => node.Health.Agents is not { } agents || agents.Contains(spec.Agent, StringComparer.Ordinal)).ToList();
        if (able.Count == 0) throw new PortException(PortFailureKind.Rejected, $"The agent '{spec.Agent}' is on none of the data planes that answer: {string.Join("; ", view.Answers.Select(one => $"{one.Node.Name} has {string.Join(", ", one.Node.Health.Agents!)}"))}.");
        return [.. able.OrderByDescending(node => node.Health.Capacity!.Free).ThenBy(node => node.Name, StringComparer.Ordinal)];
    }

    /// <summary>From now on this box is made there or nowhere. False: an earlier try may have made it there already.</summary>
    public bool Tried(SandboxId sandbox, PoolNode node)
    {
        if (tried.Count >= MostTried) tried.Clear();
        return tried.TryAdd(sandbox, node.Name);
    }

    /// <summary>It is certain that it was not made there, or it has been found.</summary>
    public void Settled(SandboxId sandbox) => tried.TryRemove(sandbox, out _);

    private async Task<PoolNode> OnlyAsync(CancellationToken cancellationToken)
    {
        if (pool.Known.FirstOrDefault() is { } known) return known;
        var view = await pool.AskHealthAsync(cancellationToken);
        return view.Answers is [var only] ? only.Node : throw view.Silent[0].Failure;
    }

    private static int GenerationOf(SandboxAnswer box) =>
        int.TryParse(box.Labels.GetValueOrDefault(SandboxLabels.Generation), NumberStyles.None, CultureInfo.InvariantCulture, out var generation) ? generation : 0;

    private static string Texts(IEnumerable<(Uri Url, PortException Failure)> silent) => string.Join(' ', silent.Select(one => one.Failure.Message));

    private static PortException Unavailable(string message, Exception? inner = null) => new(PortFailureKind.Unavailable, message, inner: inner);
}
