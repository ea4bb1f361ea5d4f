using Coordinator.Ports;
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
        Following(RealPlay.FullDatabase("It has no room: nothing was told", "feed_entry")),
        Following(RealPlay.RefusedByDatabase("It refuses the host's credential")),
        ByReader("A document was changed behind its back", "its row changed", reader => reader.IsTampered = true),
        ByReader("The topic was purged beyond the client: it is told to load anew", "purged", reader => reader.IsPurged = true),
        ByReader("The client comes from the future: it is told to load anew", "its watermark set", reader => reader.Watermark += 5),
        Following(new("It has no connection left for a while", "all are taken") { Show = outside => outside.TakeConnectionsAsync(), Mend = outside => outside.GiveConnectionsBack(), IsOfNetwork = false, IsImpatient = true }),
    ];

    public override IReadOnlyDictionary<GeneralFault, string> NotOnReal { get; } = new Dictionary<GeneralFault, string>
    {
        [GeneralFault.Duplicate] = "A PostgreSQL connection is one conversation, whose packets the server takes once; published again after a lost answer is played.",
    };

    private static FaultProxy Database(RealOutside outside) => outside.Rows;

    private static RealPlay Following(RealPlay play) => With(_ => play);

    private static RealPlay ByReader(string of, string how, Action<RealReader> show) => With(reader => RealPlay.Done(of, how, _ => show(reader)));

    private static RealPlay With(Func<RealReader, RealPlay> make)
    {
        var reader = new RealReader();
        var play = make(reader);
        return play with
        {
            Beside = reader.PrepareAsync,
            Holds = reader.HoldsAsync,
            Mend = outside =>
            {
                play.Mend(outside);
                reader.Mend(outside);
            },
        };
    }

    /// <summary>Publishes one version after the other, each until it is told that it was, and reads what is new; told to, it loads anew.</summary>
    private sealed class RealReader
    {
        private readonly List<long> read = [];
        private long version;

        public long Watermark { get; set; }

        public bool IsPurged { get; set; }

        public bool IsTampered { get; set; }

        public ValueTask<Func<ValueTask<string>>> PrepareAsync(RealOutside outside) => new(() => FollowAsync(outside));

        public void Mend(RealOutside outside)
        {
            if (IsTampered) outside.Tamper("UPDATE feed_entry SET payload = '{}'::bytea");
            (IsPurged, IsTampered) = (false, false);
        }

        /// <summary>Every version was read once, in order, and the reader stands where the topic does; another organization sees nothing of it.</summary>
        public async ValueTask HoldsAsync(RealOutside outside)
        {
            Assert.Equal(Enumerable.Range(1, (int)version).Select(number => (long)number), read);
            var feed = outside.World.Port<IEventFeed>();
            Assert.Equal((await feed.FindTopicAsync(outside.World.Key.Organization, Topic, CancellationToken.None)).Head, Watermark);
            Assert.Empty((await feed.ReadAsync(OrganizationId.New(TimeProvider.System), Topic, 0, 10, CancellationToken.None)).Value.Entries);
        }

        private async ValueTask<string> FollowAsync(RealOutside outside)
        {
            var (feed, organization) = (outside.World.Port<IEventFeed>(), outside.World.Key.Organization);
            await feed.PublishAsync(organization, [FeedDocument.Of(Topic, "doc", version + 1, "{}"u8.ToArray())], CancellationToken.None);
            version++;
            if (IsTampered) outside.Tamper("UPDATE feed_entry SET payload = '[]'::bytea");
            if (IsPurged) await feed.PurgeAsync(organization, Topic, long.MaxValue, CancellationToken.None);
            var page = await feed.ReadAsync(organization, Topic, Watermark, 10, CancellationToken.None);
            if (page.Problem is { } problem)
            {
                read.Add(version); // loads anew
                Watermark = (await feed.FindTopicAsync(organization, Topic, CancellationToken.None)).Head;
                return problem.Code;
            }

            foreach (var entry in page.Value.Entries)
            {
                read.Add(entry.Document.DocVersion);
                Watermark = entry.Watermark;
            }

            return "ok";
        }
    }
}
