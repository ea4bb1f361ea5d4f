using Coordinator.Adapters.Modal.Pool;
using Coordinator.Ports;
using Coordinator.Ports.Compute.DataPlane;
using Microsoft.Extensions.Logging;

namespace Coordinator.Adapters.Modal;

/// <summary>Looks for the data planes when the host starts. The host serves without them: sessions are read, and boxes come when a node does.</summary>
internal sealed partial class ModalSandboxDependency(NodePool pool, ILogger<ModalSandboxDependency> logger) : IHostDependency
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(900);

    public string Name => "sandbox";

    public string Description => $"boxes of {pool.Urls.Count} data plane(s): {string.Join(", ", pool.Known.Select(Describe).Order(StringComparer.Ordinal))}";

    public bool IsRequired => false;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var view = await pool.AskHealthAsync(cancellationToken);
        foreach (var (url, failure) in view.Silent) LogSilent(url, failure.Message);
        if (view.Answers.Count > 0) return;
        var first = view.Silent[0].Failure;
        throw first.Kind is PortFailureKind.Unauthorized ? new PortException(PortFailureKind.Rejected, first.Message, inner: first) : first;
    }

    public async ValueTask<string?> CheckAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        try
        {
            var view = await pool.AskHealthAsync(limit.Token);
            return view.Silent.Count == 0 ? null : string.Join(' ', view.Silent.Select(silent => silent.Failure.Message));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return "Not every data plane answered within a second.";
        }
    }

    private static string Describe(PoolNode node) => $"{node.Name} at {node.Url.Authority} ({Room(node.Health.Capacity)})";

    private static string Room(DataPlaneCapacity? capacity) => capacity is null ? "room unknown" : $"{capacity.Free} of {capacity.Most} free";

    [LoggerMessage(5511, LogLevel.Warning, "The data plane {Url} did not answer: {Reason}")]
    private partial void LogSilent(Uri url, string reason);
}
