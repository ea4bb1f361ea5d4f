namespace Coordinator.Ports.Record;

/// <summary>
/// Tells the outside that something happened. One call is one attempt; when to try again is its caller's to decide. The
/// receiver can check who sent it and that nothing was changed (<see cref="WebhookSignature"/>), and can tell a second
/// attempt from a second notification by its id. Addresses are given by users: every implementation must refuse those
/// that are not on the public internet, after resolution, and must not follow redirects.
/// </summary>
[Port(Plane.Record)]
public interface INotifier
{
    /// <summary>
    /// Tries once to deliver, within bounded time and reading a bounded answer. What the receiver does is an outcome and
    /// never an exception. Idempotent for the receiver: every attempt of a notification has the same id and body; only the
    /// time of the attempt differs.
    /// </summary>
    /// <exception cref="PortException">
    /// <see cref="PortFailureKind.Rejected"/>: the notification is against <see cref="NotificationRules"/>, and nothing was
    /// sent; other kinds: the notifier itself cannot work.
    /// </exception>
    ValueTask<DeliveryResult> DeliverAsync(Notification notification, NotificationTarget target, CancellationToken cancellationToken);
}
