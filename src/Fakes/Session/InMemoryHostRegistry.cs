using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Fakes;

/// <summary>
/// The hosts over the journal fake's store, heard by its (virtual) clock. Faults: <see cref="Faults"/>, and what becomes of
/// a host: <see cref="CutLock"/>, <see cref="Hang"/>, <see cref="Kill"/>.
/// </summary>
public sealed class InMemoryHostRegistry : IHostRegistry
{
    /// <summary>Within this long of its last beat, peers take over from a host that hangs.</summary>
    public static readonly TimeSpan TimeToLive = TimeSpan.FromSeconds(10);

    private readonly InMemoryJournalStore store;
    private readonly Dictionary<HostId, Registration> hosts = [];
    private readonly List<Listener> listeners = [];
    private long registered;

    public InMemoryHostRegistry(InMemoryJournalStore store)
    {
        this.store = store;
        store.IsFoundDead = host => hosts.TryGetValue(host, out var known) && known.IsDead;
        store.Bury = host =>
        {
            if (hosts.TryGetValue(host, out var known)) known.IsDead = true;
        };
        store.LivesAsHost = host => hosts.TryGetValue(host, out var known) ? IsAlive(known) : null;
    }

    public FaultSwitch Faults { get; } = new();

    public ValueTask<IHostRegistration> RegisterAsync(HostIntroduction introduction, CancellationToken cancellationToken) => Faults.Run<IHostRegistration>(
        () =>
        {
            var id = HostId.New(store.Time);
            lock (store.Gate)
            {
                if (HostAccord.Judge(new(id, long.MaxValue, ClockAhead(introduction), introduction.KeyPrint), Others(id)) is { } discord) throw discord.ToException();
                var host = new Registration(this, id, introduction, ++registered);
                hosts.Add(id, host);
                return host;
            }
        },
        cancellationToken);

    public ValueTask<HostLocation?> FindAsync(SessionKey key, CancellationToken cancellationToken) => Faults.Run(
        () =>
        {
            lock (store.Gate) return store.Sessions.TryGetValue(key, out var session) ? LivingOwner(session)?.Location : null;
        },
        cancellationToken);

    public ValueTask<bool> IsAliveAsync(HostId host, CancellationToken cancellationToken) => Faults.Run(
        () =>
        {
            lock (store.Gate) return hosts.TryGetValue(host, out var known) && IsAlive(known);
        },
        cancellationToken);

    public ValueTask<HostLocation> ClaimAsync(SessionKey key, IHostRegistration claimant, CancellationToken cancellationToken) => Faults.Run(
        () =>
        {
            lock (store.Gate) return Claim(key, claimant.Location);
        },
        cancellationToken);

    /// <summary>True: nothing that hosts tell is heard by anybody.</summary>
    public bool IsDeaf { get; set; }

    /// <summary>How many listen for a session now.</summary>
    public int ListenersOf(SessionKey key)
    {
        lock (store.Gate) return listeners.Count(listener => listener.Key == key);
    }

    public IOpeningListener Listen(SessionKey key)
    {
        var listener = new Listener(this, key);
        lock (store.Gate) listeners.Add(listener);
        return listener;
    }

    /// <summary>The host's lock is gone, and the host hears of it at once.</summary>
    public void CutLock(HostId host)
    {
        Registration cut;
        lock (store.Gate)
        {
            cut = hosts[host];
            cut.HasLock = false;
        }

        cut.Pulse.Lose(HostLoss.LockGone);
    }

    /// <summary>The host is not heard any more, and keeps its lock: its process hangs, or its network swallows what it says.</summary>
    public void Hang(HostId host)
    {
        lock (store.Gate) hosts[host].Hangs = true;
    }

    /// <summary>The host can be heard again.</summary>
    public void Resume(HostId host)
    {
        lock (store.Gate) hosts[host].Hangs = false;
    }

    /// <summary>The host's process is gone, and with it its lock; nobody is left to hear of it.</summary>
    public void Kill(HostId host)
    {
        lock (store.Gate) (hosts[host].HasLock, hosts[host].Hangs) = (false, true);
    }

    private void Tell(SessionKey key)
    {
        lock (store.Gate)
        {
            if (IsDeaf) return;
            foreach (var listener in listeners.Where(listener => listener.Key == key)) listener.Hear();
        }
    }

    private void Leave(Listener listener)
    {
        lock (store.Gate) listeners.Remove(listener);
    }

    private HostLocation Claim(SessionKey key, HostLocation claimant)
    {
        if (!IsAlive(hosts[claimant.Id])) throw new PortException(PortFailureKind.Fenced, $"Host {claimant.Id} is not alive to its peers; it must register anew.");
        if (!store.Sessions.TryGetValue(key, out var session)) return claimant;
        if (LivingOwner(session) is { } owner) return owner.Location;
        if (session.Host is { } dead && hosts.TryGetValue(dead, out var buried)) buried.IsDead = true;
        (session.Host, session.Epoch) = (claimant.Id, session.Epoch + 1);
        return claimant;
    }

    private Registration? LivingOwner(InMemoryJournalStore.Entry session) =>
        session.Host is { } owner && hosts.TryGetValue(owner, out var host) && IsAlive(host) ? host : null;

    private bool IsAlive(Registration host) => !host.IsDead && host.HasLock && host.HeardAt > store.Now - HostPulse.DeadAfter(TimeToLive);

    private TimeSpan? ClockAhead(HostIntroduction introduction) => introduction.Clock?.GetUtcNow() - store.Now;

    /// <summary>The other living hosts, as they last said.</summary>
    private IEnumerable<HostStanding> Others(HostId self) => hosts.Values.Where(host => host.Location.Id != self && IsAlive(host)).Select(host => host.Standing);

    private void Beat(Registration host)
    {
        var sentAt = store.Time.GetTimestamp();
        bool isDead, isDisbelieved = false;
        lock (store.Gate)
        {
            if (host.Hangs) return;
            isDead = host.IsDead;
            if (!isDead)
            {
                (host.HeardAt, host.ClockAhead) = (store.Now, ClockAhead(host.Introduction));
                var isDiscord = HostAccord.Judge(host.Standing, Others(host.Location.Id)) is not null;
                (isDisbelieved, host.WasDiscord) = (isDiscord && host.WasDiscord, isDiscord);
            }
        }

        if (isDead) host.Pulse.Lose(HostLoss.MarkedDead);
        else if (isDisbelieved) host.Pulse.Lose(HostLoss.Disbelieved);
        else host.Pulse.Beat(sentAt);
    }

    private sealed class Listener(InMemoryHostRegistry registry, SessionKey key) : IOpeningListener
    {
        private readonly TaskCompletionSource opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public SessionKey Key => key;

        public Task Opened => opened.Task;

        public void Hear() => opened.TrySetResult();

        public void Dispose() => registry.Leave(this);
    }

    private sealed class Registration : IHostRegistration
    {
        private readonly InMemoryHostRegistry registry;
        private readonly ITimer beats;

        private readonly long age;

        public Registration(InMemoryHostRegistry registry, HostId id, HostIntroduction introduction, long age)
        {
            (this.registry, Introduction, this.age) = (registry, introduction, age);
            (Location, ClockAhead) = (new(id, introduction.Address), registry.ClockAhead(introduction));
            var time = registry.Time;
            Pulse = new(TimeToLive, time.GetTimestamp(), time);
            HeardAt = registry.Now;
            beats = time.CreateTimer(static self => ((Registration)self!).Beat(), this, TimeToLive / 8, TimeToLive / 8);
        }

        public HostLocation Location { get; }

        public CancellationToken Lost => Pulse.Lost;

        public HostLoss? Loss => Pulse.Loss;

        public HostPulse Pulse { get; }

        public HostIntroduction Introduction { get; }

        public DateTimeOffset HeardAt { get; set; }

        public TimeSpan? ClockAhead { get; set; }

        /// <summary>Whether it was to be no host at its last beat; at the next it is none.</summary>
        public bool WasDiscord { get; set; }

        public HostStanding Standing => new(Location.Id, age, ClockAhead, Introduction.KeyPrint);

        public bool HasLock { get; set; } = true;

        public bool Hangs { get; set; }

        public bool IsDead { get; set; }

        public void Tell(SessionKey key) => registry.Tell(key);

        public async ValueTask DisposeAsync()
        {
            await beats.DisposeAsync();
            Pulse.Dispose();
            registry.Leave(this);
        }

        private void Beat() => registry.Beat(this);
    }

    private TimeProvider Time => store.Time;

    private DateTimeOffset Now => store.Now;

    private void Leave(Registration host)
    {
        lock (store.Gate) (host.IsDead, host.HasLock) = (true, false);
    }
}
