using Coordinator.Ports;
using Coordinator.Ports.Record;
using Coordinator.Tests.WalkingSkeleton.World;
using Xunit;

namespace Coordinator.Tests.Faults.Catalogs;

public sealed partial class EventFeedFaults : FaultCatalog<IEventFeed>
{
    private const string Topic = "sessions";

    public override IReadOnlyList<Fault> Faults =>
    [
        Following(GeneralFault.Unavailable, "It is down", (world, _) => world.Feed.Faults.FailBefore(), "Unavailable"),
        Following(GeneralFault.Slow, "It is slow: the client is late and misses nothing", (world, _) => world.Feed.Faults.Slow(TimeSpan.FromSeconds(20), world.Time), "ok"),
        Following(GeneralFault.LostAnswer, "It published and its answer was lost: what is published again is not told twice", (world, _) => world.Feed.Faults.LoseResponses(), "Timeout"),
        Following(GeneralFault.Duplicate, "A publishing arrives twice: it is told once", (world, _) => world.Feed.Faults.Duplicate(), "ok"),
        Following(GeneralFault.StaleCredential, "It refuses the host's credential", (world, _) => world.Feed.Faults.FailBefore(PortFailureKind.Unauthorized), "Unauthorized"),
        Following(GeneralFault.Full, "It has no room: nothing was told", (world, _) => world.Feed.Faults.FailBefore(PortFailureKind.Full), "Full"),
        Following(GeneralFault.CorruptAnswer, "A document was changed behind its back", (_, client) => client.IsTampered = true, "Corrupt"),
        Following(null, "The topic was purged beyond the client: it is told to load anew", (_, client) => client.IsPurged = true, FeedProblems.StaleCursorCode),
        Following(null, "The client comes from the future: it is told to load anew", (_, client) => client.Watermark += 5, FeedProblems.StaleCursorCode),
        Following(null, "It has no connection left for a while", (world, _) => world.Feed.Faults.FailBefore(PortFailureKind.Timeout), "Timeout"),
        Following(null, "A wake-up is lost: the client looks by itself", (_, client) => client.LoseWakeUp(), "ok"),
    ];

    public override IReadOnlyDictionary<GeneralFault, string> CannotHappen { get; } = new Dictionary<GeneralFault, string>
    {
        [GeneralFault.Partial] = "A publishing is one transaction under the locks of its topics, and a page is read in one statement.",
        [GeneralFault.ClockSkew] = "Watermarks order what is told; retention goes by the store's own clock and compares it with nobody's.",
    };

    private static Fault Following(GeneralFault? general, string name, Action<Skeleton, Client> show, string sees)
    {
        var client = new Client();
        return new(name, FaultMoment.Beside)
        {
            Is = general,
            Show = Fault.By(world => show(world, client)),
            Mend = client.Mend,
            Sees = sees,
            Beside = client.PrepareAsync,
            Holds = client.HoldsAsync,
        };
    }

    /// <summary>Somebody who keeps a copy of a topic that goes on: publish, be woken, read what is new, apply it.</summary>
    private sealed class Client
    {
        private static readonly byte[] Payload = "{}"u8.ToArray();
        private readonly Dictionary<string, long> copy = [];
        private Skeleton? world;
        private long version;
        private bool losesWakeUp;

        public long Watermark { get; set; }

        public bool IsPurged { get; set; }

        public bool IsTampered { get; set; }

        private OrganizationId Organization => world!.Key.Organization;

        public ValueTask<Func<ValueTask<string>>> PrepareAsync(Skeleton prepared)
        {
            world = prepared;
            return new(FollowAsync);
        }

        public void LoseWakeUp() => world!.Feed.LosesWakeUps = losesWakeUp = true;

        public void Mend(Skeleton mended)
        {
            mended.Feed.Faults.Clear();
            if (IsTampered) mended.Feed.Tamper(Organization, Topic, version, document => document with { Payload = Payload });
            (mended.Feed.LosesWakeUps, IsPurged, IsTampered) = (false, false, false);
        }

        /// <summary>Every document is in the feed once, and the client has the newest.</summary>
        public async ValueTask HoldsAsync(Skeleton held)
        {
            var topic = await held.Feed.FindTopicAsync(Organization, Topic, CancellationToken.None);
            Assert.Equal(version, topic.Head);
            Assert.Equal(version, copy["doc"]);
            Assert.Equal(topic.Head, Watermark);
            Assert.Equal(0, held.Feed.Waiting);
            Assert.Equal(losesWakeUp, held.Feed.WakeUpsLost > 0);
            var foreign = await held.Feed.ReadAsync(OrganizationId.New(TimeProvider.System), Topic, 0, 10, CancellationToken.None);
            Assert.Empty(foreign.Value.Entries);
        }

        private async ValueTask<string> FollowAsync()
        {
            using var giveUp = new CancellationTokenSource();
            var waiting = world!.Feed.WaitAsync(Organization, new Dictionary<string, long> { [Topic] = Watermark }, giveUp.Token).AsTask();
            try
            {
                await PublishAsync();
                await waiting;
                return await ReadAsync();
            }
            finally
            {
                await giveUp.CancelAsync();
                await waiting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        /// <summary>The thing's version is its own: what is published again after a lost answer is the same version.</summary>
        private async ValueTask PublishAsync()
        {
            await world!.Feed.PublishAsync(Organization, [FeedDocument.Of(Topic, "doc", version + 1, Payload)], CancellationToken.None);
            version++;
            if (IsTampered) world.Feed.Tamper(Organization, Topic, version, document => document with { Payload = "[]"u8.ToArray() });
            if (IsPurged) await world.Feed.PurgeAsync(Organization, Topic, long.MaxValue, CancellationToken.None);
        }

        private async ValueTask<string> ReadAsync()
        {
            var page = await world!.Feed.ReadAsync(Organization, Topic, Watermark, 10, CancellationToken.None);
            if (page.Problem is { } problem)
            {
                (copy["doc"], Watermark) = (version, (await world.Feed.FindTopicAsync(Organization, Topic, CancellationToken.None)).Head); // loads anew
                return problem.Code;
            }

            foreach (var entry in page.Value.Entries) (copy[entry.Document.DocKey], Watermark) = (entry.Document.DocVersion, entry.Watermark);
            return "ok";
        }
    }
}
