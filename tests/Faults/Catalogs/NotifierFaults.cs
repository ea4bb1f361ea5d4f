using Coordinator.Fakes;
using Coordinator.Ports;
using Coordinator.Ports.Record;
using Coordinator.Tests.WalkingSkeleton.World;
using Xunit;

namespace Coordinator.Tests.Faults.Catalogs;

public sealed class NotifierFaults : FaultCatalog<INotifier>
{
    public override IReadOnlyList<Fault> Faults =>
    [
        Notifying("It cannot work: the attempt fails and can be made again", (world, _) => world.Notifier.Faults.FailBefore(), "Unavailable"),
        Notifying("The receiver cannot be reached", (world, receiver) => receiver.IsThere = false, "RetryLater"),
        Notifying("The receiver took it and its answer was lost: by the id it knows the second attempt", (_, receiver) => receiver.Answer = new(IsCut: true), "RetryLater, it may have arrived"),
        Notifying("The receiver drips its answer without end: it is given up", (_, receiver) => receiver.Answer = new(IsSilent: true), "RetryLater, it may have arrived"),
        Notifying("The receiver is gone", (_, receiver) => receiver.Answer = new(410), "EndpointGone"),
        Notifying("The receiver is asked too often: how long to wait is told", (_, receiver) => receiver.Answer = new(429, TimeSpan.FromSeconds(90)), "RetryLater after 90"),
        Notifying("The receiver redirects to a private address: nobody goes there", (_, receiver) => receiver.Answer = new(302), "RetryLater"),
        Notifying("The receiver's name leads into our own network: nothing is sent", (world, _) => world.Notifier.RefusedHosts.Add(Receiver.Host), "AddressRefused"),
        Notifying("The receiver's secret was replaced while it keeps the old one: both are signed with", (_, receiver) => receiver.Rotate(), "ok"),
    ];

    private static Fault Notifying(string name, Action<Skeleton, Receiver> show, string sees)
    {
        var receiver = new Receiver();
        return new(name, FaultMoment.Beside)
        {
            Show = Fault.By(world => show(world, receiver)),
            Mend = receiver.Mend,
            Sees = sees,
            Beside = receiver.PrepareAsync,
            Holds = receiver.HoldsAsync,
        };
    }

    /// <summary>Somebody who is notified of one thing after the other and takes each once, by its id.</summary>
    private sealed class Receiver
    {
        public const string Host = "receiver.example";

        private readonly WebhookSecret known = WebhookSecret.New();
        private readonly HashSet<string> taken = new(StringComparer.Ordinal);
        private readonly List<string> told = [];
        private WebhookSecret[] secrets = [];
        private Notification? next;
        private Skeleton? world;

        public bool IsThere { get; set; } = true;

        public NotificationAnswer Answer { get; set; } = new();

        public void Rotate() => secrets = [WebhookSecret.New(), known];

        public ValueTask<Func<ValueTask<string>>> PrepareAsync(Skeleton prepared)
        {
            (world, secrets) = (prepared, [known]);
            prepared.Notifier.Listen(Host, Take);
            return new(NotifyAsync);
        }

        public void Mend(Skeleton mended)
        {
            (IsThere, Answer) = (true, new());
            mended.Notifier.Faults.Clear();
            mended.Notifier.RefusedHosts.Clear();
        }

        /// <summary>Everything that was to be told was taken, once; nothing was sent anywhere else, and no secret with it.</summary>
        public ValueTask HoldsAsync(Skeleton held)
        {
            Assert.Equal(told.Order(), taken.Order());
            Assert.All(held.Notifier.Received, arrived => Assert.Equal(Host, arrived.Address.Host));
            Assert.DoesNotContain(held.Notifier.Received, arrived => arrived.Headers.Values.Any(value => value.Contains(known.Reveal(), StringComparison.Ordinal)));
            return ValueTask.CompletedTask;
        }

        private NotificationAnswer Take(ReceivedNotification arrived)
        {
            Assert.True(arrived.IsFrom(known, world!.Time.GetUtcNow()));
            if (Answer.Status is >= 200 and < 300) taken.Add(arrived.Id);
            return Answer;
        }

        private async ValueTask<string> NotifyAsync()
        {
            next ??= new(NotificationId.New(world!.Time), "{}"u8.ToArray());
            var host = IsThere ? Host : "nowhere.example";
            var delivering = world!.Notifier.DeliverAsync(next, new(new($"https://{host}/hook"), secrets), CancellationToken.None).AsTask();
            await world.UntilAsync("an outcome", () => delivering.IsCompleted, TimeSpan.FromMinutes(1));
            var result = await delivering;
            if (result.Outcome == DeliveryOutcome.Delivered)
            {
                told.Add(next.Id.ToString());
                next = null;
                return "ok";
            }

            var wait = result.RetryAfter is { } after ? $" after {after.TotalSeconds}" : "";
            return $"{result.Outcome}{wait}{(result.MayHaveArrived ? ", it may have arrived" : "")}";
        }
    }
}
