using System.Collections.Concurrent;
using Coordinator.Adapters.Modal.DataPlane;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Coordinator.Ports.Compute.DataPlane;
using Microsoft.Extensions.Options;

namespace Coordinator.Adapters.Modal.Pool;

/// <summary>A data plane that answered: where it is, what it calls itself, and what it told last.</summary>
internal sealed record PoolNode(Uri Url, DataPlaneHealth Health)
{
    public string Name => Health.Node!;

    /// <summary>What it says that it can do; one that says nothing of it promises nothing.</summary>
    public SandboxCapabilities Can => Health.Capabilities is { } told ? new(told.KeepsData, told.Snapshots, told.EnforcesMemory, told.EnforcesEgress) : SandboxCapabilities.None;
}

/// <summary>What asking every data plane brought: some may not have answered.</summary>
internal sealed record PoolView<T>(IReadOnlyList<(PoolNode Node, T Answer)> Answers, IReadOnlyList<(Uri Url, PortException Failure)> Silent);

/// <summary>
/// The data planes of the configuration, known by the name that each gives itself: an address where other data answers by
/// now is another node, whose boxes ours are not. Of two that give themselves one name neither is asked for anything: a box
/// of the one is not found at the other, and would be taken for gone.
/// </summary>
internal sealed class NodePool(DataPlaneClient client, IOptions<ModalSandboxOptions> options)
{
    private readonly Uri[] urls = [.. options.Value.Urls.Select(url => new Uri(url))];
    private readonly ConcurrentDictionary<Uri, PoolNode> known = new();

    public IReadOnlyList<Uri> Urls => urls;

    /// <summary>Those that ever answered, with what they told last.</summary>
    public IEnumerable<PoolNode> Known => known.Values;

    /// <summary>Where the node of this name is; null when none of the data planes says that it is it.</summary>
    public async Task<PoolNode?> FindAsync(string? name, CancellationToken cancellationToken)
    {
        if (Cached(name) is { } cached) return cached;
        await AskHealthAsync(cancellationToken);
        return Cached(name);
    }

    /// <summary>Whether there is certainly no node of this name any more: every data plane answers now, none of two under one name, and each is another.</summary>
    public async Task<bool> IsGoneAsync(string name, CancellationToken cancellationToken) =>
        (await AskHealthAsync(cancellationToken)).Silent.Count == 0 && Called(name).Length == 0;

    /// <summary>Asks every data plane how it is.</summary>
    public Task<PoolView<DataPlaneHealth>> AskHealthAsync(CancellationToken cancellationToken) => AskAsync(static (node, _) => Task.FromResult(node.Health), refresh: true, cancellationToken);

    /// <summary>Asks every data plane the same, side by side.</summary>
    public async Task<PoolView<T>> AskAsync<T>(Func<PoolNode, CancellationToken, Task<T>> ask, bool refresh, CancellationToken cancellationToken)
    {
        var asked = await Task.WhenAll(urls.Select(url => AskOneAsync(url, ask, refresh, cancellationToken)));
        var judged = asked.Select(one => one.Failure is null ? one with { Failure = Ambiguous(one.Node!.Name) } : one).ToList();
        return new(
            [.. judged.Where(one => one.Failure is null).Select(one => (one.Node!, one.Answer!))],
            [.. judged.Where(one => one.Failure is not null).Select(one => (one.Url, one.Failure!))]);
    }

    /// <summary>What answers there now is not the node it was: forget it, and look anew.</summary>
    public void Forget(PoolNode node) => known.TryRemove(node.Url, out _);

    /// <summary>The node of this name as it was last heard of; null when none was, or more than one.</summary>
    public PoolNode? Cached(string? name) => Called(name) is [var only] ? only : null;

    /// <summary>Why there is no node of this name.</summary>
    public string WhyNone(string? name) => Ambiguous(name)?.Message ?? $"No data plane that answers is {name}.";

    private PoolNode[] Called(string? name) => [.. known.Values.Where(node => node.Name == name)];

    private PortException? Ambiguous(string? name) => Called(name) is { Length: > 1 } several
        ? new(PortFailureKind.Rejected, $"{string.Join(" and ", several.Select(node => node.Url.Authority).Order(StringComparer.Ordinal))} all call themselves {name}: one sandbox host under several addresses ({ModalSandboxOptions.Section}:Urls), or a data directory that was copied (delete the copy).")
        : null;

    private async Task<(Uri Url, PoolNode? Node, T? Answer, PortException? Failure)> AskOneAsync<T>(Uri url, Func<PoolNode, CancellationToken, Task<T>> ask, bool refresh, CancellationToken cancellationToken)
    {
        try
        {
            if (refresh || !known.TryGetValue(url, out var node)) node = known[url] = new(url, await client.HealthAsync(url, cancellationToken));
            return (url, node, await ask(node, cancellationToken), null);
        }
        catch (DataPlaneException e)
        {
            return (url, null, default, e.Failed.Failure);
        }
    }
}
