using Coordinator.Fakes;
using Coordinator.Ports;
using Coordinator.Ports.Record;
using Coordinator.Tests.WalkingSkeleton.World;
using Xunit;

namespace Coordinator.Tests.Faults.Catalogs;

public sealed partial class NotifierFaults : FaultCatalog<INotifier>
{
    public override IReadOnlyList<Fault> Faults =>
    [
        Notifying(GeneralFault.Unavailable, "It cannot work: the attempt fails and can be made again", (world, _) => world.Notifier.Faults.FailBefore(), "Unavailable"),
        Notifying(GeneralFault.Slow, "It is slow", (world, _) => world.Notifier.Faults.Slow(TimeSpan.FromSeconds(20), world.Time), "ok"),
        Notifying(null, "The receiver cannot be reached", (world, receiver) => receiver.IsThere = false, "RetryLater"),
        Notifying(GeneralFault.LostAnswer, "The receiver took it and its answer was lost: by the id it knows the second attempt", (_, receiver) => receiver.Answer = new(IsCut: true), "RetryLater, it may have arrived"),
        Notifying(GeneralFault.Duplicate, "An attempt arrives twice: the receiver takes it once", (world, _) => world.Notifier.Faults.Duplicate(), "ok"),
        Notifying(GeneralFault.CorruptAnswer, "The receiver's answer makes no sense: what it took is told again under the same id", (world, _) => world.Notifier.Faults.CorruptResponses(), "Corrupt"),
        Notifying(GeneralFault.Partial, "The receiver drips its answer without end: it is given up", (_, receiver) => receiver.Answer = new(IsSilent: true), "RetryLater, it may have arrived"),
        Notifying(null, "The receiver is gone", (_, receiver) => receiver.Answer = new(410), "EndpointGone"),
        Notifying(GeneralFault.Full, "The receiver is asked too often: how long to wait is told", (_, receiver) => receiver.Answer = new(429, TimeSpan.FromSeconds(90)), "RetryLater after 90"),
        Notifying(GeneralFault.ClockSkew, "The receiver's clock is an hour ahead: it refuses what looks too old", (_, receiver) => receiver.ClockAhead = TimeSpan.FromHours(1), "RetryLater"),
        Notifying(null, "The receiver redirects to a private address: nobody goes there", (_, receiver) => receiver.Answer = new(302), "RetryLater"),
        Notifying(null, "The receiver's name leads into our own network: nothing is sent", (world, _) => world.Notifier.RefusedHosts.Add(Receiver.Host), "AddressRefused"),
        Notifying(GeneralFault.StaleCredential, "The receiver's secret was replaced while it keeps the old one: both are signed with", (_, receiver) => receiver.Rotate(), "ok"),
    ];

    private static Fault Notifying(GeneralFault? general, string name, Action<Skeleton, Receiver> show, string sees)
    {
        var receiver = new Receiver();
        return new(name, FaultMoment.Beside)
        {
            Is = general,
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

        public TimeSpan ClockAhead { get; set; }

        public void Rotate() => secrets = [WebhookSecret.New(), known];

        public ValueTask<Func<ValueTask<string>>> PrepareAsync(Skeleton prepared)
        {
            (world, secrets) = (prepared, [known]);
            prepared.Notifier.Listen(Host, Take);
            return new(NotifyAsync);
        }

        public void Mend(Skeleton mended)
        {
            (IsThere, Answer, ClockAhead) = (true, new(), TimeSpan.Zero);
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
            Assert.Equal(ClockAhead == TimeSpan.Zero, arrived.IsFrom(known, world!.Time.GetUtcNow() + ClockAhead));
            if (ClockAhead > TimeSpan.Zero) return new(400);
            if (Answer.Status is >= 200 and < 300) taken.Add(arrived.Id);
            return Answer;
        }

        private async ValueTask<string> NotifyAsync()
        {
            next ??= new(NotificationId.New(world!.Time), "{}"u8.ToArray());
            var host = IsThere ? Host : "nowhere.example";
            var result = await world!.Notifier.DeliverAsync(next, new(new($"https://{host}/hook"), secrets), CancellationToken.None);
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
