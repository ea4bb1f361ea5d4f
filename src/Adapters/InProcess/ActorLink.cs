using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Adapters.InProcess;

/// <summary>A box's link to the actor that it has joined, for as long as that lives.</summary>
internal sealed class ActorLink(Activation activation, long id) : IBridgeLink
{
    public long Id { get; } = id;

    public async ValueTask PostAsync(BoxFrame frame, CancellationToken cancellationToken)
    {
        try
        {
            await activation.PostAsync(new SessionInput.BridgeReceived(Id, frame), cancellationToken);
        }
        catch (ActivationOverException)
        {
            throw new PortException(PortFailureKind.Unavailable, "The session's actor is starting anew; reconnect.");
        }
    }

    public ValueTask DisposeAsync() => activation.RemoveLinkAsync(Id);
}
