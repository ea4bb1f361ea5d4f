using System.Globalization;
using Coordinator.Ports;
using Coordinator.Ports.Record;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Coordinator.Tests.Faults.Real;

/// <summary>Somebody with a web server who is told one thing after the other, each until it was taken, and looks at what arrives as one should.</summary>
internal sealed class RealReceiver
{
    private readonly WebhookSecret known = WebhookSecret.New();
    private readonly WebhookSecret next = WebhookSecret.New();
    private readonly Lock gate = new();
    private readonly List<string> arrived = [];
    private readonly HashSet<string> taken = new(StringComparer.Ordinal);
    private readonly List<string> told = [];
    private Notification? notification;

    /// <summary>Said in place of taking it.</summary>
    public Func<HttpResponse, Task>? Says { get; set; }

    /// <summary>How far its clock is wrong.</summary>
    public TimeSpan ClockAhead { get; set; }

    /// <summary>It was given another secret and keeps the old one until it knows the new.</summary>
    public bool IsRotated { get; set; }

    /// <summary>What nobody may be sent to.</summary>
    public const string Inside = "/inside";

    public ValueTask<Func<ValueTask<string>>> PrepareAsync(RealOutside outside)
    {
        outside.Peers.Receive = TakeAsync;
        return new(() => NotifyAsync(outside));
    }

    public void Mend() => (Says, ClockAhead, IsRotated) = (null, TimeSpan.Zero, false);

    /// <summary>What was to be told was taken, once each, by whose signature it was; nobody went where a redirect led, and no secret is in the log.</summary>
    public ValueTask HoldsAsync(RealOutside outside)
    {
        lock (gate)
        {
            Assert.Equal(told.Order(StringComparer.Ordinal), taken.Order(StringComparer.Ordinal));
            Assert.DoesNotContain(Inside, arrived);
        }

        Assert.All(new[] { known, next }, secret => Assert.DoesNotContain(secret.Reveal(), outside.Log.Text, StringComparison.Ordinal));
        return ValueTask.CompletedTask;
    }

    private async Task TakeAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        lock (gate) arrived.Add(context.Request.Path);
        var headers = context.Request.Headers;
        var id = headers[WebhookSignature.IdHeader].ToString();
        var isMine = WebhookSignature.Verify(id, headers[WebhookSignature.TimestampHeader].ToString(), headers[WebhookSignature.SignatureHeader].ToString(), body.ToArray(), known, TimeProvider.System.GetUtcNow() + ClockAhead);
        if (!isMine) context.Response.StatusCode = StatusCodes.Status400BadRequest;
        else if (Says is { } says) await says(context.Response);
        else lock (gate) taken.Add(id);
    }

    private async ValueTask<string> NotifyAsync(RealOutside outside)
    {
        notification ??= new(NotificationId.New(TimeProvider.System), "{}"u8.ToArray());
        WebhookSecret[] secrets = IsRotated ? [next, known] : [known];
        var result = await outside.World.Port<INotifier>().DeliverAsync(notification, new(new(outside.Receiver.Url, "hook"), secrets), CancellationToken.None);
        if (result.Outcome != DeliveryOutcome.Delivered)
        {
            var wait = result.RetryAfter is { } after ? string.Create(CultureInfo.InvariantCulture, $" after {after.TotalSeconds}") : "";
            return $"{result.Outcome}{wait}{(result.MayHaveArrived ? ", it may have arrived" : "")}";
        }

        told.Add(notification.Id.ToString());
        notification = null;
        return "ok";
    }
}
