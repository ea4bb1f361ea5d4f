using System.Collections.Concurrent;
using Coordinator.Adapters.InProcess;
using Coordinator.Fakes;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionHost;

/// <summary>Whom a host wakes, and when, in virtual time.</summary>
public sealed class AlarmSweepTests : IAsyncLifetime
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AtWork = TimeSpan.FromSeconds(75);

    private readonly ManualTime time = new();
    private readonly InMemoryJournalStore store;
    private readonly InMemoryHostRegistry registry;
    private readonly InMemoryAlarmClock clock;
    private readonly Woken host;
    private readonly List<AlarmSweep> sweeps = [];

    public AlarmSweepTests()
    {
        store = new(time);
        (registry, clock, host) = (new(store), new(store), new(HostId.New(time)));
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var sweep in sweeps)
        {
            await sweep.StopAsync(default);
            sweep.Dispose();
        }
    }

    [Fact]
    public async Task A_session_whose_host_and_box_died_at_once_is_woken_by_the_next_host_that_starts_and_not_at_its_next_look_a_minute_later()
    {
        var atWork = await SleepingAsync(AtWork);
        await SleepingAsync(TimeSpan.FromMinutes(15));

        await StartAsync(host);
        await PassAsync(3 * Second);

        Assert.Equal([atWork], host.Keys);
    }

    [Fact]
    public async Task A_host_that_may_not_take_sessions_when_it_starts_looks_ahead_once_it_may()
    {
        var atWork = await SleepingAsync(AtWork);
        var id = host.ServesAs;
        host.ServesAs = null;

        await StartAsync(host);
        await PassAsync(3 * Second);
        Assert.Empty(host.Keys);
        host.ServesAs = id;
        await PassAsync(2 * Second);

        Assert.Equal([atWork], host.Keys);
    }

    [Fact]
    public async Task A_host_that_has_run_for_a_while_wakes_nobody_before_their_time()
    {
        await StartAsync(host);
        await PassAsync(TimeSpan.FromSeconds(100));
        await SleepingAsync(AtWork);
        await using var peer = await registry.RegisterAsync(new(new("http://peer/")), default);
        await SleepingAsync(AtWork, peer.Location.Id);

        await PassAsync(TimeSpan.FromSeconds(10));

        Assert.Empty(host.Keys);
    }

    [Fact]
    public async Task What_a_live_peer_has_is_left_to_it_by_a_host_that_starts()
    {
        await using var peer = await registry.RegisterAsync(new(new("http://peer/")), default);
        await SleepingAsync(AtWork, peer.Location.Id);

        await StartAsync(host);
        await PassAsync(3 * Second);

        Assert.Empty(host.Keys);
    }

    [Fact]
    public async Task What_a_dead_host_had_is_woken_by_a_peer_within_seconds_though_no_host_starts()
    {
        await StartAsync(host);
        await PassAsync(TimeSpan.FromSeconds(100));
        await using var peer = await registry.RegisterAsync(new(new("http://peer/")), default);
        var atWork = await SleepingAsync(AtWork, peer.Location.Id);
        await SleepingAsync(TimeSpan.FromMinutes(15), peer.Location.Id);

        registry.Kill(peer.Location.Id);
        await PassAsync(2 * Second);

        Assert.Equal([atWork], host.Keys);
    }

    [Fact]
    public async Task What_a_host_had_that_hangs_is_woken_once_its_time_to_live_is_over()
    {
        await StartAsync(host);
        await PassAsync(TimeSpan.FromSeconds(100));
        await using var peer = await registry.RegisterAsync(new(new("http://peer/")), default);
        var atWork = await SleepingAsync(AtWork, peer.Location.Id);

        registry.Hang(peer.Location.Id);
        await PassAsync(InMemoryHostRegistry.TimeToLive / 2);
        Assert.Empty(host.Keys);
        await PassAsync(InMemoryHostRegistry.TimeToLive);

        Assert.Equal([atWork], host.Keys);
    }

    [Fact]
    public async Task What_a_host_had_in_hand_that_died_as_soon_as_it_had_started_is_woken_by_the_next_at_once()
    {
        var atWork = await SleepingAsync(AtWork);
        var first = await StartAsync(host);
        await PassAsync(2 * Second);
        await first.StopAsync(default);

        var next = new Woken(HostId.New(time));
        await StartAsync(next);
        await Eventually.HoldsAsync(() => !next.Keys.IsEmpty, "that the next host wakes it");

        Assert.Equal([atWork], host.Keys);
        Assert.Equal([atWork], next.Keys);
    }

    [Fact]
    public async Task A_host_that_comes_back_under_a_new_id_looks_ahead_again()
    {
        await StartAsync(host);
        await PassAsync(TimeSpan.FromSeconds(100));
        var atWork = await SleepingAsync(AtWork);

        host.ServesAs = HostId.New(time);
        await PassAsync(2 * Second);

        Assert.Equal([atWork], host.Keys);
    }

    [Fact]
    public async Task A_host_whose_database_was_away_looks_ahead_again()
    {
        await StartAsync(host);
        await PassAsync(TimeSpan.FromSeconds(100));
        var atWork = await SleepingAsync(AtWork);

        clock.Faults.FailBefore(calls: 3);
        await PassAsync(6 * Second);

        Assert.Equal([atWork], host.Keys);
    }

    [Fact]
    public async Task A_host_that_has_just_started_looks_ahead_for_all_of_its_first_minute_and_a_half()
    {
        await StartAsync(host);
        await PassAsync(TimeSpan.FromSeconds(80));
        var atWork = await SleepingAsync(AtWork);

        await PassAsync(2 * Second);

        Assert.Equal([atWork], host.Keys);
    }

    [Fact]
    public async Task However_many_a_dead_host_had_they_are_woken_one_after_the_other_and_each_once()
    {
        await StartAsync(host);
        await PassAsync(TimeSpan.FromSeconds(100));
        await using var peer = await registry.RegisterAsync(new(new("http://peer/")), default);
        for (var i = 0; i < 300; i++) await SleepingAsync(AtWork, peer.Location.Id);

        registry.Kill(peer.Location.Id);
        await PassAsync(5 * Second);
        await Eventually.HoldsAsync(() => host.Keys.Distinct().Count() == 300, "that all of them are woken", () => $"{host.Keys.Distinct().Count()} are.");
        await PassAsync(Second);

        Assert.Equal(300, host.Keys.Count);
        Assert.Equal(1, host.MostAtOnce);
    }

    [Fact]
    public async Task What_a_host_has_in_hand_when_it_leaves_is_left_to_its_peers_at_once()
    {
        await StartAsync(host);
        await PassAsync(TimeSpan.FromSeconds(100));
        var id = host.ServesAs;
        host.ServesAs = null; // it looks again, and not as one that has just begun, when the other has left
        for (var i = 0; i < 5; i++) await SleepingAsync(Second);
        time.Advance(2 * Second);

        var leaving = new Woken(HostId.New(time)) { Takes = 2 };
        await StartAsync(leaving);
        await Eventually.HoldsAsync(() => leaving.Keys.Count == 2, "that it has taken some");
        var looks = leaving.Looks;
        time.Advance(Second);
        await Eventually.HoldsAsync(() => leaving.Looks > looks, "that it is done with the others");
        host.ServesAs = id;
        await PassAsync(5 * Second);

        Assert.Empty(leaving.Keys.Except(host.Keys));
        Assert.Equal(5, host.Keys.Distinct().Count());
    }

    [Fact]
    public async Task What_a_host_has_claimed_but_not_opened_when_it_leaves_is_its_peers_once_it_has_left()
    {
        var registration = await registry.RegisterAsync(new(new("http://leaving/")), default);
        var due = await SleepingAsync(Second);
        time.Advance(2 * Second);
        var leaving = new Woken(registration.Location.Id) { Takes = 0, Claims = async key => await registry.ClaimAsync(key, registration, default) };

        var sweep = await StartAsync(leaving);
        await Eventually.HoldsAsync(() => leaving.ServesAs is null, "that it is told to leave");
        await registration.DisposeAsync();
        await sweep.StopAsync(default);

        Assert.Equal([due], await clock.ClaimDueAsync(HostId.New(TimeProvider.System), 10, LookAhead.No, Second, default));
    }

    private async Task<AlarmSweep> StartAsync(Woken wakes)
    {
        var sweep = new AlarmSweep(wakes, clock, Options.Create(new SessionHostOptions()), time);
        sweeps.Add(sweep);
        await sweep.StartAsync(default);
        await Eventually.HoldsAsync(() => wakes.Looks > 0, "that it has looked");
        return sweep;
    }

    /// <summary>Lets time go by, second by second; a look of the host is over when the next has begun.</summary>
    private async Task PassAsync(TimeSpan by)
    {
        for (var passed = TimeSpan.Zero; passed < by; passed += Second)
        {
            var looks = host.Looks;
            time.Advance(Second);
            await Eventually.HoldsAsync(() => host.Looks > looks, "that it looks again");
        }
    }

    /// <summary>A session that nobody has awake, with its wake-up so far ahead; its lease was given to this host, which is none that is registered if none is named.</summary>
    private async Task<SessionKey> SleepingAsync(TimeSpan wakeIn, HostId? owner = null)
    {
        var (journal, now) = (new InMemorySessionJournal(store), time.GetUtcNow());
        var key = new SessionKey(OrganizationId.New(time), SessionId.New(time));
        var lease = (await journal.OpenAsync(key, owner ?? HostId.New(time), create: true, default))!;
        await journal.AppendAsync(lease, new(0, "{}"u8.ToArray(), 0, now, now + wakeIn, null), default);
        return key;
    }

    private sealed class Woken(HostId id) : IWakesSessions
    {
        private readonly Lock gate = new();
        private HostId? servesAs = id;
        private int looks;
        private int waking;

        public int Looks => Volatile.Read(ref looks);

        public int MostAtOnce { get; private set; }

        public ConcurrentQueue<SessionKey> Keys { get; } = [];

        public HostLog Log { get; } = new(NullLogger.Instance);

        public HostId? ServesAs
        {
            get
            {
                Interlocked.Increment(ref looks);
                lock (gate) return servesAs;
            }

            set
            {
                lock (gate) servesAs = value;
            }
        }

        /// <summary>How many it takes before it leaves.</summary>
        public int Takes { get; init; } = int.MaxValue;

        /// <summary>What it does of a session before it looks whether it takes it.</summary>
        public Func<SessionKey, Task> Claims { get; init; } = static _ => Task.CompletedTask;

        public async Task<bool> WakeAsync(SessionKey key, CancellationToken cancellationToken)
        {
            lock (gate) MostAtOnce = Math.Max(MostAtOnce, ++waking);
            await Task.Yield();
            await Claims(key);
            var isTaken = Keys.Count < Takes;
            if (isTaken) Keys.Enqueue(key);
            else ServesAs = null;
            lock (gate) waking--;
            return isTaken;
        }
    }
}
