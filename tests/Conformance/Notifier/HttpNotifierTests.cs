using System.Net;
using System.Net.Sockets;
using System.Text;
using Coordinator.Adapters.HttpNotifier;
using Coordinator.Ports.Record;
using Microsoft.Extensions.Options;
using Xunit;

namespace Coordinator.Tests.Conformance.Notifier;

public sealed class HttpNotifierTests : NotifierContract
{
    private HttpNotifierRig rig = null!;

    private protected override INotifierRig Rig => rig;

    public override async Task InitializeAsync() => rig = await HttpNotifierRig.StartAsync();

    [Fact]
    public async Task A_receiver_that_drips_its_headers_is_given_up()
    {
        using var receiver = RawReceiver.Start("HTTP/1.1 200 OK\r\nX-Slow: a");
        var delivering = rig.With(receiver.Exception).DeliverAsync(NewNotification(), new(receiver.Address, [WebhookSecret.New()]), default).AsTask();
        await receiver.Answered;

        rig.Time.Advance(TimeSpan.FromSeconds(15));

        var result = await delivering.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal((DeliveryOutcome.RetryLater, true), (result.Outcome, result.MayHaveArrived));
    }

    [Fact]
    public async Task A_receiver_that_drips_its_body_has_answered()
    {
        using var receiver = RawReceiver.Start("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nslow");
        var delivering = rig.With(receiver.Exception).DeliverAsync(NewNotification(), new(receiver.Address, [WebhookSecret.New()]), default).AsTask();
        await receiver.Answered;
        await rig.Time.WaitForTimersAsync(2); // the body is listened to, beside the attempt as a whole

        rig.Time.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal(DeliveryOutcome.Delivered, (await delivering.WaitAsync(TimeSpan.FromSeconds(20))).Outcome);
    }

    [Fact]
    public async Task An_endless_answer_is_read_to_a_bound()
    {
        rig.AnswersEndlessly = true;

        Assert.Equal(DeliveryOutcome.Delivered, (await DeliverAsync(NewNotification()).WaitAsync(TimeSpan.FromSeconds(20))).Outcome);
        await rig.UntilHungUpOnAsync();
    }

    [Fact]
    public async Task Headers_without_end_are_not_read()
    {
        using var receiver = RawReceiver.Start("HTTP/1.1 200 OK\r\n" + string.Concat(Enumerable.Repeat($"X-Long: {new string('x', 1_000)}\r\n", 100)) + "\r\n");

        var result = await rig.With(receiver.Exception).DeliverAsync(NewNotification(), new(receiver.Address, [WebhookSecret.New()]), default);

        Assert.Equal((DeliveryOutcome.RetryLater, true), (result.Outcome, result.MayHaveArrived));
    }

    [Fact]
    public async Task What_is_not_http_is_no_answer()
    {
        using var receiver = RawReceiver.Start("SSH-2.0-OpenSSH_9.2\r\n");

        var result = await rig.With(receiver.Exception).DeliverAsync(NewNotification(), new(receiver.Address, [WebhookSecret.New()]), default);

        Assert.Equal((DeliveryOutcome.RetryLater, true), (result.Outcome, result.MayHaveArrived));
    }

    [Fact]
    public async Task A_name_that_leads_inside_is_refused_by_what_it_resolves_to()
    {
        var notifier = rig.Resolving(_ => [IPAddress.Parse("93.184.216.34"), IPAddress.Parse("10.0.0.7")]);

        var result = await notifier.DeliverAsync(NewNotification(), new(new("https://rebind.example/hook"), [WebhookSecret.New()]), default);

        Assert.Equal(DeliveryOutcome.AddressRefused, result.Outcome);
        Assert.Contains("private", result.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_that_changes_its_address_after_it_was_judged_gains_nothing()
    {
        var asked = 0;
        var notifier = rig.Resolving(_ => asked++ == 0 ? [IPAddress.Loopback] : [IPAddress.Parse("169.254.169.254")], $"rebind.example:{rig.Address.Port}");

        var result = await notifier.DeliverAsync(NewNotification(), new(new($"http://rebind.example:{rig.Address.Port}/hook"), [WebhookSecret.New()]), default);

        Assert.Equal((DeliveryOutcome.Delivered, 1), (result.Outcome, asked));
    }

    [Fact]
    public async Task A_certificate_that_is_not_trusted_is_no_connection()
    {
        using var receiver = RawReceiver.Start("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");

        var result = await rig.With(receiver.Exception).DeliverAsync(NewNotification(), new(new UriBuilder(receiver.Address) { Scheme = "https" }.Uri, [WebhookSecret.New()]), default);

        Assert.Equal((DeliveryOutcome.RetryLater, false), (result.Outcome, result.MayHaveArrived));
    }

    [Fact]
    public void Options_that_make_no_sense_are_all_named_at_once()
    {
        var options = new HttpNotifierOptions { ConnectTimeout = TimeSpan.Zero, HeadersTimeout = TimeSpan.FromSeconds(-1), BodyTimeout = TimeSpan.Zero, MaxAnswerBytes = 0, AtOnce = 0, AddressExceptions = ["not a host!"] };

        Assert.Equal(6, options.Problems().Count());
        Assert.Empty(new HttpNotifierOptions().Problems());
    }

    /// <summary>Answers the first call with these very bytes, and then neither says more nor hangs up.</summary>
    private sealed class RawReceiver : IDisposable
    {
        private readonly TcpListener listener = new(IPAddress.Loopback, 0);
        private TcpClient? client;

        private RawReceiver(string answer)
        {
            listener.Start();
            Address = new($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/hook");
            Answered = AnswerAsync(Encoding.ASCII.GetBytes(answer));
        }

        public Uri Address { get; }

        public string Exception => $"127.0.0.1:{Address.Port}";

        public Task Answered { get; }

        public static RawReceiver Start(string answer) => new(answer);

        public void Dispose()
        {
            client?.Dispose();
            listener.Dispose();
        }

        private async Task AnswerAsync(byte[] answer)
        {
            client = await listener.AcceptTcpClientAsync();
            var stream = client.GetStream();
            await stream.ReadAtLeastAsync(new byte[64 * 1024], 16, throwOnEndOfStream: false);
            await stream.WriteAsync(answer);
        }
    }
}
