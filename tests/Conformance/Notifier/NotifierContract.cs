using System.Globalization;
using System.Text;
using Coordinator.Ports;
using Coordinator.Ports.Record;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Conformance.Notifier;

/// <summary>What every notifier promises.</summary>
public abstract class NotifierContract : IAsyncLifetime
{
    private readonly WebhookSecret secret = WebhookSecret.New();

    private protected abstract INotifierRig Rig { get; }

    private NotificationTarget Target => new(Rig.Address, [secret]);

    public virtual Task InitializeAsync() => Task.CompletedTask;

    public virtual async Task DisposeAsync() => await Rig.DisposeAsync();

    [Fact]
    public async Task A_notification_arrives_signed_and_unchanged()
    {
        var notification = NewNotification("""{"type":"session.completed","title":"Grüße, 世界"}""");

        var result = await DeliverAsync(notification);

        Assert.Equal((DeliveryOutcome.Delivered, 200), (result.Outcome, result.Status));
        var arrived = Assert.Single(Rig.Received);
        Assert.Equal(notification.Body.ToArray(), arrived.Body);
        Assert.Equal(notification.Id.ToString(), arrived.Id);
        Assert.Equal(Rig.Time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture), arrived.Headers[WebhookSignature.TimestampHeader]);
        Assert.True(arrived.IsFrom(secret, Rig.Time.GetUtcNow()));
        Assert.False(arrived.IsFrom(WebhookSecret.New(), Rig.Time.GetUtcNow()));
    }

    [Fact]
    public async Task A_signature_that_covers_only_a_timestamp_can_be_replayed_with_any_body()
    {
        await DeliverAsync(NewNotification());

        var arrived = Assert.Single(Rig.Received);
        var now = Rig.Time.GetUtcNow();
        Assert.False((arrived with { Body = "{\"amount\":1000}"u8.ToArray() }).IsFrom(secret, now));
        Assert.False((arrived with { Headers = With(arrived.Headers, WebhookSignature.IdHeader, NotificationId.New(Rig.Time).ToString()) }).IsFrom(secret, now));
        Assert.False((arrived with { Headers = With(arrived.Headers, WebhookSignature.TimestampHeader, "1") }).IsFrom(secret, now));
        Assert.False(arrived.IsFrom(secret, now + WebhookSignature.Tolerance + TimeSpan.FromSeconds(1)));
        Assert.False(arrived.IsFrom(secret, now - WebhookSignature.Tolerance - TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public async Task While_a_secret_is_replaced_both_are_good()
    {
        var next = WebhookSecret.New();

        await Rig.Notifier.DeliverAsync(NewNotification(), new(Rig.Address, [next, secret]), default);

        var arrived = Assert.Single(Rig.Received);
        Assert.True(arrived.IsFrom(secret, Rig.Time.GetUtcNow()));
        Assert.True(arrived.IsFrom(next, Rig.Time.GetUtcNow()));
        Assert.Equal(2, arrived.Headers[WebhookSignature.SignatureHeader].Split(' ').Length);
    }

    [Fact]
    public async Task Webhook_and_chat_deliveries_are_processed_twice()
    {
        var notification = NewNotification();
        Rig.Answer(new(IsCut: true));
        Assert.True((await DeliverAsync(notification)).MayHaveArrived);
        Rig.Answer(new());
        Rig.Time.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(DeliveryOutcome.Delivered, (await DeliverAsync(notification)).Outcome);

        // The receiver had it before; by the id it knows.
        Assert.True(Rig.Received.Count >= 2);
        Assert.Single(Rig.Received.Select(arrived => arrived.Id).Distinct());
        Assert.Single(Rig.Received.Select(arrived => Convert.ToHexString(arrived.Body)).Distinct());
        Assert.True(Rig.Received[^1].IsFrom(secret, Rig.Time.GetUtcNow()));
    }

    [Fact]
    public async Task A_receiver_that_is_gone_wants_nothing_more()
    {
        Rig.Answer(new(410));

        Assert.Equal(DeliveryOutcome.EndpointGone, (await DeliverAsync(NewNotification())).Outcome);
    }

    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    public async Task A_receiver_may_ask_to_be_left_alone_for_a_while(int status)
    {
        Rig.Answer(new(status, TimeSpan.FromSeconds(120)));

        var result = await DeliverAsync(NewNotification());

        Assert.Equal((DeliveryOutcome.RetryLater, TimeSpan.FromSeconds(120), status), (result.Outcome, result.RetryAfter, result.Status));
    }

    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(404)]
    [InlineData(500)]
    [InlineData(502)]
    public async Task Any_other_answer_is_tried_again_later(int status)
    {
        Rig.Answer(new(status));

        var result = await DeliverAsync(NewNotification());

        Assert.Equal((DeliveryOutcome.RetryLater, null, false), (result.Outcome, result.RetryAfter, result.MayHaveArrived));
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task A_redirect_is_not_followed(int status)
    {
        Rig.Answer(new(status), Rig.Elsewhere);

        Assert.Equal(DeliveryOutcome.RetryLater, (await DeliverAsync(NewNotification())).Outcome);
        Assert.Equal(Rig.Address, Assert.Single(Rig.Received).Address);
    }

    [Fact]
    public async Task A_receiver_that_does_not_answer_is_given_up_and_may_have_it()
    {
        Rig.Answer(new(IsSilent: true));
        var delivering = DeliverAsync(NewNotification());
        await Rig.UntilSilentAsync();

        Rig.Time.Advance(TimeSpan.FromSeconds(15));

        var result = await delivering.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal((DeliveryOutcome.RetryLater, true), (result.Outcome, result.MayHaveArrived));
    }

    [Fact]
    public async Task Where_nothing_answers_nothing_has_arrived()
    {
        var result = await Rig.Notifier.DeliverAsync(NewNotification(), new(Rig.Unreachable, [secret]), default);

        Assert.Equal((DeliveryOutcome.RetryLater, false), (result.Outcome, result.MayHaveArrived));
    }

    [Theory]
    [InlineData("https://127.0.0.1/hook")]
    [InlineData("https://[::1]/hook")]
    [InlineData("https://[::ffff:10.0.0.1]/hook")]
    [InlineData("https://10.1.2.3/hook")]
    [InlineData("https://192.168.1.1/hook")]
    [InlineData("https://169.254.169.254/latest/meta-data")]
    [InlineData("https://[fd00:ec2::254]/latest")]
    [InlineData("https://2130706433/hook")]
    [InlineData("https://0x7f000001/hook")]
    [InlineData("https://0.0.0.0/hook")]
    [InlineData("http://receiver.example/hook")]
    [InlineData("ftp://receiver.example/hook")]
    [InlineData("https://user:password@receiver.example/hook")]
    [InlineData("https://receiver.example/hook#part")]
    public async Task An_address_that_no_tenant_may_reach_is_refused_and_nothing_is_sent(string address)
    {
        var result = await Rig.Strict.DeliverAsync(NewNotification(), new(new(address), [secret]), default);

        Assert.Equal((DeliveryOutcome.AddressRefused, false), (result.Outcome, result.MayHaveArrived));
        Assert.DoesNotContain("password@", result.Detail, StringComparison.Ordinal);
        Assert.Empty(Rig.Received);
    }

    [Fact]
    public async Task What_may_be_reached_by_an_exception_may_not_without_it()
    {
        Assert.Equal(DeliveryOutcome.AddressRefused, (await Rig.Strict.DeliverAsync(NewNotification(), Target, default)).Outcome);
        Assert.Equal(DeliveryOutcome.Delivered, (await DeliverAsync(NewNotification())).Outcome);
    }

    [Fact]
    public async Task A_notification_against_the_rules_is_not_sent()
    {
        await PortAssert.FailsAsync(PortFailureKind.Rejected, () => Rig.Notifier.DeliverAsync(NewNotification(""), Target, default));
        await PortAssert.FailsAsync(PortFailureKind.Rejected, () => Rig.Notifier.DeliverAsync(NewNotification(new string('x', NotificationRules.LargestBody + 1)), Target, default));
        await PortAssert.FailsAsync(PortFailureKind.Rejected, () => Rig.Notifier.DeliverAsync(NewNotification(), Target with { Secrets = [] }, default));

        Assert.Empty(Rig.Received);
    }

    [Fact]
    public async Task An_attempt_can_be_given_up()
    {
        Rig.Answer(new(IsSilent: true));
        using var giveUp = new CancellationTokenSource();
        var delivering = Rig.Notifier.DeliverAsync(NewNotification(), Target, giveUp.Token).AsTask();
        await Rig.UntilSilentAsync();

        await giveUp.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => delivering.WaitAsync(TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public async Task The_secret_is_told_nowhere()
    {
        Rig.Answer(new(500));

        var result = await DeliverAsync(NewNotification());

        var text = secret.Reveal()["whsec_".Length..];
        Assert.DoesNotContain(text, result.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(text, Target.ToString(), StringComparison.Ordinal);
        Assert.All(Rig.Received.SelectMany(arrived => arrived.Headers.Values), value => Assert.DoesNotContain(text, value, StringComparison.Ordinal));
    }

    private protected Notification NewNotification(string body = """{"type":"session.completed"}""") => new(NotificationId.New(Rig.Time), Encoding.UTF8.GetBytes(body));

    private protected Task<DeliveryResult> DeliverAsync(Notification notification) => Rig.Notifier.DeliverAsync(notification, Target, default).AsTask();

    private static Dictionary<string, string> With(IReadOnlyDictionary<string, string> headers, string name, string value) => new(headers, StringComparer.OrdinalIgnoreCase) { [name] = value };
}
