using System.Net;
using Coordinator.Ports;
using Coordinator.Ports.Record;

namespace Coordinator.Fakes;

/// <summary>
/// Notifications to receivers in memory, signed like real ones. A host that no receiver was put at cannot be reached.
/// Names resolve to what is public, but for <see cref="RefusedHosts"/>; literal addresses are judged as they are.
/// </summary>
public sealed class InMemoryNotifier(TimeProvider time, params string[] exceptions) : INotifier
{
    private static readonly TimeSpan HeadersTimeout = TimeSpan.FromSeconds(15);

    private readonly AddressExceptions exceptions = AddressExceptions.Parse(exceptions);
    private readonly Lock gate = new();
    private readonly Dictionary<string, Func<ReceivedNotification, NotificationAnswer>> receivers = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<ReceivedNotification> received = [];

    /// <summary>Faults of the notifier itself; what receivers do wrong is in their answers.</summary>
    public FaultSwitch Faults { get; } = new();

    /// <summary>Hosts whose names lead into our own network.</summary>
    public ISet<string> RefusedHosts { get; } = new HashSet<string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Everything that arrived anywhere, in order.</summary>
    public IReadOnlyList<ReceivedNotification> Received
    {
        get
        {
            lock (gate) return [.. received];
        }
    }

    /// <summary>Puts a receiver at a host.</summary>
    public void Listen(string host, Func<ReceivedNotification, NotificationAnswer> receiver)
    {
        lock (gate) receivers[host] = receiver;
    }

    public async ValueTask<DeliveryResult> DeliverAsync(Notification notification, NotificationTarget target, CancellationToken cancellationToken)
    {
        var answer = await Faults.Run(() =>
        {
            NotificationRules.Check(notification, target);
            return WhyRefused(target.Address) is { } reason ? new Attempt(null, new(DeliveryOutcome.AddressRefused, reason)) : Send(notification, target);
        }, cancellationToken);
        if (answer.Said is { IsSilent: true }) await Task.Delay(HeadersTimeout, time, cancellationToken);
        return answer.Judged;
    }

    private Attempt Send(Notification notification, NotificationTarget target)
    {
        Func<ReceivedNotification, NotificationAnswer>? receiver;
        var sent = new ReceivedNotification(target.Address, WebhookSignature.Headers(notification, target.Secrets, time.GetUtcNow()).ToDictionary(StringComparer.OrdinalIgnoreCase), notification.Body.ToArray());
        lock (gate)
        {
            if (!receivers.TryGetValue(target.Address.Host, out receiver)) return new(null, new(DeliveryOutcome.RetryLater, "The endpoint cannot be reached."));
            received.Add(sent);
        }

        var said = receiver(sent);
        return new(said, Judge(said));
    }

    private string? WhyRefused(Uri address)
    {
        if (NotificationRules.WhyRefused(address, exceptions) is { } reason) return reason;
        if (RefusedHosts.Contains(address.Host)) return $"{address.Host} is not on the public internet: its address is private.";
        return IPAddress.TryParse(address.Host.Trim('[', ']'), out var literal) && exceptions.WhyRefused(address.Host.Trim('[', ']'), address.Port, literal) is { } refused
            ? $"{address.Host} is not on the public internet: its address is {refused}."
            : null;
    }

    private static DeliveryResult Judge(NotificationAnswer said) => said switch
    {
        { IsSilent: true } => new(DeliveryOutcome.RetryLater, $"The endpoint did not answer within {HeadersTimeout.TotalSeconds:0} s.", MayHaveArrived: true),
        { IsCut: true } => new(DeliveryOutcome.RetryLater, "The endpoint cut the connection before it had answered.", MayHaveArrived: true),
        { Status: >= 200 and < 300 } => new(DeliveryOutcome.Delivered, $"The endpoint answered {said.Status}.", said.Status),
        { Status: 410 } => new(DeliveryOutcome.EndpointGone, "The endpoint answered 410: it wants nothing more.", said.Status),
        { Status: >= 300 and < 400 } => new(DeliveryOutcome.RetryLater, $"The endpoint answered {said.Status}, a redirect, which is not followed.", said.Status),
        _ => new(DeliveryOutcome.RetryLater, $"The endpoint answered {said.Status}.", said.Status, said.RetryAfter),
    };

    private sealed record Attempt(NotificationAnswer? Said, DeliveryResult Judged);
}

/// <summary>What a receiver got.</summary>
public sealed record ReceivedNotification(Uri Address, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    /// <summary>The notification's id, by which a receiver knows one that it has had.</summary>
    public string Id => Headers[WebhookSignature.IdHeader];

    /// <summary>What the receiver does first: is it from who has this secret, unchanged, and made now?</summary>
    public bool IsFrom(WebhookSecret secret, DateTimeOffset now) =>
        WebhookSignature.Verify(Id, Headers[WebhookSignature.TimestampHeader], Headers[WebhookSignature.SignatureHeader], Body, secret, now);
}

/// <summary>What a receiver answers: a status, nothing for ever, or half an answer.</summary>
public sealed record NotificationAnswer(int Status = 200, TimeSpan? RetryAfter = null, bool IsSilent = false, bool IsCut = false);
