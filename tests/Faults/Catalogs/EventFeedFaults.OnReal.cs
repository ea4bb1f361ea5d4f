using Coordinator.Ports.Record;
using Coordinator.Tests.Faults.Real;
using Coordinator.Tests.Support.Network;
using Xunit;

namespace Coordinator.Tests.Faults.Catalogs;

public sealed partial class EventFeedFaults
{
    private const string Published = "It published and its answer was lost: what is published again is not told twice";

    public override IReadOnlyList<RealPlay> OnReal =>
    [
        Following(RealPlay.Refused("It is down", Database)),
        Following(RealPlay.AnswerLost(Published, Database, "COMMIT")) with { Sees = "Unavailable" },
        Following(RealPlay.Swallowed(Published, Database)),
        Following(RealPlay.Slow("It is slow: the client is late and misses nothing", Database)),
        Following(new("It has no connection left for a while", "all are taken") { Show = outside => outside.TakeConnectionsAsync(), Mend = outside => outside.GiveConnectionsBack(), IsOfNetwork = false }),
    ];

    private static FaultProxy Database(RealOutside outside) => outside.Rows;

    private static RealPlay Following(RealPlay play)
    {
        var reader = new RealReader();
        return play with { Beside = reader.PrepareAsync, Holds = reader.HoldsAsync };
    }

    /// <summary>Publishes one version after the other, each until it is told that it was, and reads what is new.</summary>
    private sealed class RealReader
    {
        private readonly List<long> read = [];
        private long version;
        private long watermark;

        public ValueTask<Func<ValueTask<string>>> PrepareAsync(RealOutside outside) => new(() => FollowAsync(outside));

        public ValueTask HoldsAsync(RealOutside outside)
        {
            Assert.Equal(Enumerable.Range(1, (int)version).Select(number => (long)number), read);
            return ValueTask.CompletedTask;
        }

        private async ValueTask<string> FollowAsync(RealOutside outside)
        {
            var (feed, organization) = (outside.World.Port<IEventFeed>(), outside.World.Key.Organization);
            await feed.PublishAsync(organization, [FeedDocument.Of(Topic, "doc", version + 1, "{}"u8.ToArray())], CancellationToken.None);
            version++;
            var page = (await feed.ReadAsync(organization, Topic, watermark, 10, CancellationToken.None)).Value;
            foreach (var entry in page.Entries)
            {
                read.Add(entry.Document.DocVersion);
                watermark = entry.Watermark;
            }

            return "ok";
        }
    }
}
