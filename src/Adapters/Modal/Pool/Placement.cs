using System.Collections.Concurrent;
using System.Globalization;
using Coordinator.Adapters.Modal.DataPlane;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Compute.DataPlane;

namespace Coordinator.Adapters.Modal.Pool;

/// <summary>
/// Chooses the node a box is made on. A session stays where its data is; else, of the nodes that can do what is required,
/// the one with most room wins. Nodes that do not answer may hold the session's data, so only a first box is placed past
/// them. Nothing here must be remembered: the caller writes the choice down before anything is made.
/// </summary>
internal sealed class Placement(NodePool pool, DataPlaneClient client, TimeProvider time)
{
    /// <summary>How long a node that refused a box for want of room is passed over, whatever its count of boxes says.</summary>
    private static readonly TimeSpan PassedOver = TimeSpan.FromSeconds(15);

    /// <summary>When a node last had no room, by name. A hint only; there are as many as data planes.</summary>
    private readonly ConcurrentDictionary<string, DateTimeOffset> full = new(StringComparer.Ordinal);

    /// <exception cref="PortException">No node can be named: none can do what is required, has room, or answers.</exception>
    public async Task<PoolNode> ChooseAsync(SandboxSpec spec, CancellationToken cancellationToken)
    {
        if (spec.Home is { } home && await pool.FindAsync(home, cancellationToken) is { } known) return await DemandAsync(known, spec, cancellationToken);
        if (pool.Urls.Count == 1) return await DemandAsync(await OnlyAsync(cancellationToken), spec, cancellationToken);

        Dictionary<string, string> session = new(StringComparer.Ordinal) { [SandboxLabels.Session] = spec.Session.ToString() };
        var view = await pool.AskAsync((node, token) => client.ListAsync(node.Url, session, token), refresh: true, cancellationToken);
        if (view.Answers.Count == 0 || (view.Silent.Count > 0 && spec.Home is not null))
            throw Unavailable(spec.Home is null ? Texts(view.Silent) : $"The session's workspace is on {spec.Home}, which does not answer. {Texts(view.Silent)}", view.Silent);
        var homes = view.Answers.Where(one => one.Answer.Items.Count > 0).OrderByDescending(one => one.Answer.Items.Max(GenerationOf)).ThenByDescending(one => one.Answer.Items.Max(box => box.CreatedAt)).Select(one => one.Node).ToList();
        if (homes.Count > 0) return await DemandAsync(homes[0], spec, cancellationToken);
        if (view.Silent.Count > 0 && spec.Generation > 1)
            throw Unavailable($"{Texts(view.Silent)} The session's workspace may be there, so that its box is not made elsewhere.", view.Silent);
        return Roomiest([.. view.Answers.Select(one => one.Node)], view.Silent, spec);
    }

    /// <summary>It has just refused a box for want of room.</summary>
    public void PassOver(PoolNode node) => full[node.Name] = time.GetUtcNow();

    private PoolNode Roomiest(List<PoolNode> nodes, IReadOnlyList<(Uri Url, PortException Failure)> silent, SandboxSpec spec)
    {
        var capable = nodes.FindAll(node => Lacks(node, spec).Count == 0);
        if (capable.Count == 0) throw silent.Count > 0 ? Unavailable($"{WhatLacks(nodes, spec)} {Texts(silent)}", silent) : new(PortFailureKind.Incapable, WhatLacks(nodes, spec));
        var able = capable.FindAll(node => node.Health.Agents is not { } agents || agents.Contains(spec.Agent, StringComparer.Ordinal));
        if (able.Count == 0) throw new PortException(PortFailureKind.Rejected, $"The agent '{spec.Agent}' is on none of the data planes that answer: {string.Join("; ", capable.Select(node => $"{node.Name} has {string.Join(", ", node.Health.Agents!)}"))}.");
        return able.FindAll(HasRoom).OrderByDescending(node => node.Health.Capacity!.Free).ThenBy(node => node.Name, StringComparer.Ordinal).FirstOrDefault()
            ?? throw new PortException(PortFailureKind.Full, $"No data plane that answers has room for another box: {string.Join(", ", able.Select(node => $"{node.Name} runs {node.Health.Capacity!.Running} of {node.Health.Capacity.Most}"))}.", retryAfter: PassedOver);
    }

    private bool HasRoom(PoolNode node) => node.Health.Capacity!.Free > 0 && !(full.TryGetValue(node.Name, out var at) && time.GetUtcNow() - at < PassedOver);

    /// <summary>No other node will do. What it lacked when it was last asked it may have by now.</summary>
    private async Task<PoolNode> DemandAsync(PoolNode node, SandboxSpec spec, CancellationToken cancellationToken)
    {
        if (Lacks(node, spec).Count == 0) return node;
        await pool.AskHealthAsync(cancellationToken);
        node = pool.Cached(node.Name) ?? node;
        return Lacks(node, spec).Count == 0 ? node : throw new PortException(PortFailureKind.Incapable, WhatLacks([node], spec));
    }

    private static IReadOnlyList<string> Lacks(PoolNode node, SandboxSpec spec) => node.Can.Lacks(spec.Requires);

    private static string WhatLacks(IReadOnlyList<PoolNode> nodes, SandboxSpec spec) =>
        $"A box must be able to do {string.Join(", ", spec.Requires.Held)}; {string.Join("; ", nodes.Select(node => $"the data plane {node.Name} at {node.Url.Authority} lacks {string.Join(", ", Lacks(node, spec))}"))}.";

    private async Task<PoolNode> OnlyAsync(CancellationToken cancellationToken)
    {
        if (pool.Known.FirstOrDefault() is { } known) return known;
        var view = await pool.AskHealthAsync(cancellationToken);
        return view.Answers is [var only] ? only.Node : throw view.Silent[0].Failure;
    }

    private static int GenerationOf(SandboxAnswer box) =>
        int.TryParse(box.Labels.GetValueOrDefault(SandboxLabels.Generation), NumberStyles.None, CultureInfo.InvariantCulture, out var generation) ? generation : 0;

    private static string Texts(IEnumerable<(Uri Url, PortException Failure)> silent) => string.Join(' ', silent.Select(one => one.Failure.Message));

    private static PortException Unavailable(string message, IReadOnlyList<(Uri Url, PortException Failure)> silent) => new(PortFailureKind.Unavailable, message, inner: silent[0].Failure);
}
