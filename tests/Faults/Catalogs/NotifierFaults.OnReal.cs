using Coordinator.Ports;
using Coordinator.Ports.Record;
using Coordinator.Tests.Faults.Real;
using Coordinator.Tests.Support.Network;
using Xunit;

namespace Coordinator.Tests.Faults.Catalogs;

public sealed partial class NotifierFaults
{
    private const string Took = "The receiver took it and its answer was lost: by the id it knows the second attempt";
    private const string InDoubt = "RetryLater, it may have arrived";

    public override IReadOnlyList<RealPlay> OnReal =>
    [
        Notifying(RealPlay.Refused("The receiver cannot be reached", Network)),
        Notifying(RealPlay.CutOff(Took, Network)) with { Sees = InDoubt },
        Notifying(RealPlay.Swallowed(Took, Network)) with { Sees = InDoubt },
        Notifying(RealPlay.Slow("It is slow", Network)),
    ];

    private static FaultProxy Network(RealOutside outside) => outside.Receiver;

    private static RealPlay Notifying(RealPlay play)
    {
        var told = new Told();
        return play with { Beside = told.PrepareAsync, Holds = told.HoldsAsync };
    }

    /// <summary>One notification after the other, each told until it has arrived.</summary>
    private sealed class Told
    {
        private readonly WebhookSecret secret = WebhookSecret.New();
        private readonly List<string> arrived = [];
        private Notification? next;

        public ValueTask<Func<ValueTask<string>>> PrepareAsync(RealOutside outside) => new(() => NotifyAsync(outside));

        public ValueTask HoldsAsync(RealOutside outside)
        {
            Assert.All(arrived, id => Assert.Contains(id, outside.Peers.Notified));
            Assert.DoesNotContain(secret.Reveal(), outside.Log.Text, StringComparison.Ordinal);
            return ValueTask.CompletedTask;
        }

        private async ValueTask<string> NotifyAsync(RealOutside outside)
        {
            next ??= new(NotificationId.New(TimeProvider.System), "{}"u8.ToArray());
            var result = await outside.World.Port<INotifier>().DeliverAsync(next, new(new(outside.Receiver.Url, "hook"), [secret]), CancellationToken.None);
            if (result.Outcome != DeliveryOutcome.Delivered) return $"{result.Outcome}{(result.MayHaveArrived ? ", it may have arrived" : "")}";
            arrived.Add(next.Id.ToString());
            next = null;
            return "ok";
        }
    }
}
