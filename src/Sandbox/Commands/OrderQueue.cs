using System.Threading.Channels;
using Coordinator.Ports;
using Coordinator.Sandbox.Bridge;

namespace Coordinator.Sandbox.Commands;

/// <summary>One thing that is asked of the box: by the control plane, or by its own watch over the disk.</summary>
internal abstract record BoxOrder
{
    private BoxOrder()
    {
    }

    public sealed record Configure(BoxSettings Settings) : BoxOrder;

    public sealed record StartTurn(PromptRequest Request) : BoxOrder;

    public sealed record CancelTurn(MessageId Message) : BoxOrder;

    public sealed record Decide(PermissionId Permission, bool Allow, string? Note) : BoxOrder;

    public sealed record Shutdown(string Reason) : BoxOrder;

    public sealed record StopGrowth(long UsedBytes) : BoxOrder;
}

/// <summary>
/// Takes orders from the bridge without making it wait. The bound is far above what the protocol allows at once: one
/// turn, its cancel, its questions; the disk is looked at every ten seconds. Beyond it something is badly wrong, and the box ends rather than forget an order.
/// </summary>
internal sealed class OrderQueue : IBridgeOrders
{
    private const int MaxOrders = 4096;
    private readonly Channel<BoxOrder> orders = Channel.CreateBounded<BoxOrder>(new BoundedChannelOptions(MaxOrders) { SingleReader = true });

    public IAsyncEnumerable<BoxOrder> ReadAllAsync(CancellationToken cancellationToken) => orders.Reader.ReadAllAsync(cancellationToken);

    public void Configure(BoxSettings settings) => Add(new BoxOrder.Configure(settings));

    public void StartTurn(PromptRequest request) => Add(new BoxOrder.StartTurn(request));

    public void CancelTurn(MessageId message) => Add(new BoxOrder.CancelTurn(message));

    public void Decide(PermissionId permission, bool allow, string? note) => Add(new BoxOrder.Decide(permission, allow, note));

    public void Shutdown(string reason) => Add(new BoxOrder.Shutdown(reason));

    /// <summary>The workspace holds more than it may and grows.</summary>
    public void StopGrowth(long usedBytes) => Add(new BoxOrder.StopGrowth(usedBytes));

    private void Add(BoxOrder order)
    {
        if (!orders.Writer.TryWrite(order)) throw new InvalidOperationException("More orders wait than the protocol allows.");
    }
}
