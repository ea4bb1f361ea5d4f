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

/// <summary>Whom a host wakes, and when.</summary>
public sealed class AlarmSweepTests : IDisposable
{
    private readonly InMemoryJournalStore store = new(TimeProvider.System);
    private readonly Woken host = new();
    private readonly AlarmSweep sweep;

    public AlarmSweepTests() => sweep = new(host, new InMemoryAlarmClock(store), Options.Create(new SessionHostOptions { AlarmInterval = TimeSpan.FromMilliseconds(5) }), TimeProvider.System);

    [Fact]
    public async Task A_session_whose_host_and_box_died_at_once_is_woken_by_the_next_host_that_starts_and_not_at_its_next_look_a_minute_later()
    {
        var atWork = await SleepingAsync(TimeSpan.FromSeconds(75));
        await SleepingAsync(TimeSpan.FromMinutes(15));

        await sweep.StartAsync(default);
        await Eventually.HoldsAsync(() => host.Looks > 2, "that it has looked more than once");
        await sweep.StopAsync(default);

        Assert.Equal([atWork], host.Keys);
    }

    [Fact]
    public async Task A_host_that_may_not_take_sessions_when_it_starts_looks_ahead_once_it_may()
    {
        var atWork = await SleepingAsync(TimeSpan.FromSeconds(75));
        host.TakesSessions = false;

        await sweep.StartAsync(default);
        await Eventually.HoldsAsync(() => host.Looks > 2, "that it has wanted to look");
        host.TakesSessions = true;
        await Eventually.HoldsAsync(() => !host.Keys.IsEmpty, "that the session is woken");
        await sweep.StopAsync(default);

        Assert.Equal([atWork], host.Keys);
    }

    [Fact]
    public async Task A_host_that_runs_wakes_nobody_before_their_time()
    {
        await sweep.StartAsync(default);
        await Eventually.HoldsAsync(() => host.Looks > 1, "that it has looked");
        await SleepingAsync(TimeSpan.FromSeconds(75));
        var looks = host.Looks;
        await Eventually.HoldsAsync(() => host.Looks > looks + 2, "that it has looked again");
        await sweep.StopAsync(default);

        Assert.Empty(host.Keys);
    }

    public void Dispose() => sweep.Dispose();

    /// <summary>A session that nobody has awake, with its wake-up so far ahead.</summary>
    private async Task<SessionKey> SleepingAsync(TimeSpan wakeIn)
    {
        var (journal, now) = (new InMemorySessionJournal(store), TimeProvider.System.GetUtcNow());
        var key = new SessionKey(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));
        var lease = (await journal.OpenAsync(key, HostId.New(TimeProvider.System), create: true, default))!;
        await journal.AppendAsync(lease, new(0, "{}"u8.ToArray(), 0, now, now + wakeIn, null), default);
        return key;
    }

    private sealed class Woken : IWakesSessions
    {
        private int looks;
        private volatile bool takesSessions = true;

        public int Looks => Volatile.Read(ref looks);

        public ConcurrentQueue<SessionKey> Keys { get; } = [];

        public HostLog Log { get; } = new(NullLogger.Instance);

        public bool TakesSessions
        {
            get
            {
                Interlocked.Increment(ref looks);
                return takesSessions;
            }

            set => takesSessions = value;
        }

        public Task WakeAsync(SessionKey key, CancellationToken cancellationToken)
        {
            Keys.Enqueue(key);
            return Task.CompletedTask;
        }
    }
}
