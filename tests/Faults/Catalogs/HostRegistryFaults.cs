using Coordinator.Fakes;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.WalkingSkeleton.World;
using Xunit;

namespace Coordinator.Tests.Faults.Catalogs;

public sealed partial class HostRegistryFaults : FaultCatalog<IHostRegistry>
{
    private const string Elsewhere = "elsewhere";

    public override IReadOnlyList<Fault> Faults =>
    [
        Owning(GeneralFault.Unavailable, "It is down: nobody claims, and nothing is written twice", (world, _) => world.Hosts.Faults.FailBefore(), "Unavailable"),
        Owning(GeneralFault.Slow, "It is slow: the claim is late", (world, _) => world.Hosts.Faults.Slow(TimeSpan.FromSeconds(2), world.Time), "ok"),
        Owning(GeneralFault.LostAnswer, "It granted a claim and its answer was lost: the same claim is granted again", (world, _) => world.Hosts.Faults.LoseResponses(), "Timeout"),
        Owning(GeneralFault.Duplicate, "A claim arrives twice: one host is named", (world, _) => world.Hosts.Faults.Duplicate(), "ok"),
        Owning(GeneralFault.StaleCredential, "It refuses the host's credential", (world, _) => world.Hosts.Faults.FailBefore(PortFailureKind.Unauthorized), "Unauthorized"),
        Owning(GeneralFault.CorruptAnswer, "Its answer makes no sense: the claim is made again", (world, _) => world.Hosts.Faults.CorruptResponses(), "Corrupt"),
        Owning(GeneralFault.Full, "Its store has no room to note a claim", (world, _) => world.Hosts.Faults.FailBefore(PortFailureKind.Full), "Full"),
        Owning(GeneralFault.ClockSkew, "Its clock jumps an hour ahead, and a peer takes the host for dead: the host is told so and leaves the session to the peer", (_, pair) => pair.TakeOverAsync(skew: TimeSpan.FromHours(1)), Elsewhere),
        Owning(null, "The connection that holds the host's lock is gone: the host goes on under a new id", (_, pair) => pair.LoseLock(), "ok"),
        Owning(null, "The host hangs beyond its time and comes back: it has lost the session to the peer and leaves it alone", (_, pair) => pair.TakeOverAsync(hang: true), Elsewhere),
        Owning(null, "The owner's process dies without a word: the next that asks has the session", (_, pair) => pair.DieAsOwnerAsync(), "ok"),
    ];

    public override IReadOnlyDictionary<GeneralFault, string> CannotHappen { get; } = new Dictionary<GeneralFault, string>
    {
        [GeneralFault.Partial] = "A takeover is one row of one statement; of two sessions each is taken over by itself.",
    };

    private static Fault Owning(GeneralFault? general, string name, Action<Skeleton, Pair> show, string sees) => Owning(
        general,
        name,
        (world, pair) =>
        {
            show(world, pair);
            return ValueTask.CompletedTask;
        },
        sees);

    private static Fault Owning(GeneralFault? general, string name, Func<Skeleton, Pair, ValueTask> show, string sees)
    {
        var pair = new Pair();
        return new(name, FaultMoment.Beside)
        {
            Is = general,
            Show = world => show(world, pair),
            Mend = pair.Mend,
            Sees = sees,
            Beside = pair.PrepareAsync,
            Holds = pair.HoldsAsync,
        };
    }

    /// <summary>Two hosts that obey the rules, and a session of which both may come to be asked.</summary>
    private sealed class Pair
    {
        private static readonly Uri Address = new("http://127.0.0.1:1/");
        private readonly List<IHostRegistration> all = [];
        private Skeleton? world;
        private SessionKey key;
        private long written;

        public IHostRegistration Mine { get; private set; } = null!;

        private IHostRegistration Peer { get; set; } = null!;

        public async ValueTask<Func<ValueTask<string>>> PrepareAsync(Skeleton prepared)
        {
            world = prepared;
            key = new(world.Key.Organization, SessionId.New(world.Time));
            (Mine, Peer) = (await RegisterAsync(), await RegisterAsync());
            return async () =>
            {
                if (Mine.Loss is not null) Mine = await RegisterAsync();
                return await WorkAsync(Mine);
            };
        }

        /// <summary>The peer takes the session over from a host that is not heard, or not by a clock that jumped.</summary>
        public async ValueTask TakeOverAsync(bool hang = false, TimeSpan skew = default)
        {
            if (hang) world!.Hosts.Hang(Mine.Location.Id);
            world!.Time.Skew = skew;
            await world.PassAsync(hang ? InMemoryHostRegistry.TimeToLive : TimeSpan.Zero);
            if (!hang) world.Hosts.Hang(Mine.Location.Id);
            await PeerIsHeardAsync();
            Assert.Equal("ok", await WorkAsync(Peer));
            world.Hosts.Resume(Mine.Location.Id);
            await world.PassAsync(InMemoryHostRegistry.TimeToLive / 4);
            Assert.Equal(hang ? HostLoss.Unheard : HostLoss.MarkedDead, Mine.Loss);
        }

        /// <summary>The host hears at once that it has no lock any more.</summary>
        public void LoseLock()
        {
            world!.Hosts.CutLock(Mine.Location.Id);
            Assert.Equal(HostLoss.LockGone, Mine.Loss);
        }

        /// <summary>The peer owns the session when its process dies.</summary>
        public async ValueTask DieAsOwnerAsync()
        {
            world!.Hosts.Kill(Mine.Location.Id);
            Assert.Equal("ok", await WorkAsync(Peer));
            world.Hosts.Kill(Peer.Location.Id);
            Mine = await RegisterAsync();
        }

        public void Mend(Skeleton mended)
        {
            mended.Hosts.Faults.Clear();
            mended.Time.Skew = TimeSpan.Zero;
            if (Peer.Loss is null) mended.Hosts.CutLock(Peer.Location.Id);
        }

        /// <summary>Every record that somebody was told is written is there once, and no two hosts had one id.</summary>
        public async ValueTask HoldsAsync(Skeleton held)
        {
            Assert.Equal(written, (await held.Journal.FindHeadAsync(key, default))!.Version);
            Assert.Distinct(all.Select(host => host.Location.Id));
            foreach (var host in all) await host.DisposeAsync();
        }

        private async Task PeerIsHeardAsync() => await world!.PassAsync(InMemoryHostRegistry.TimeToLive / 8);

        private async ValueTask<IHostRegistration> RegisterAsync()
        {
            var host = await world!.Hosts.RegisterAsync(new(Address), default);
            all.Add(host);
            return host;
        }

        private async ValueTask<string> WorkAsync(IHostRegistration host)
        {
            if (await world!.Hosts.ClaimAsync(key, host, default) != host.Location) return Elsewhere;
            var lease = (await world.Journal.OpenAsync(key, host.Location.Id, create: true, default))!;
            Assert.True(await world.Journal.AppendAsync(lease, new(lease.Version, default, 0, world.Time.GetUtcNow(), null, null), default));
            written++;
            return "ok";
        }
    }
}
