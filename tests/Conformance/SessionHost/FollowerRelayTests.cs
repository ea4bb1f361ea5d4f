using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using Coordinator.Adapters.InProcess;
using Coordinator.Fakes;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionHost;

/// <summary>What those who follow a session on a host that does not have it share of what is written of it elsewhere.</summary>
public sealed class FollowerRelayTests
{
    private const int Watching = 20;
    private static readonly Principal Ada = new(PrincipalKind.User, "usr_ada", "Ada");
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(90);

    private readonly SessionKey key = new(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));
    private readonly InMemorySessionJournal journal = new(TimeProvider.System);
    private readonly Followers followers = new();
    private JournalLease? lease;
    private long version;

    [Fact]
    public async Task However_many_follow_a_session_where_it_is_not_the_journal_is_read_once_for_all_and_they_share_its_bytes()
    {
        var (store, effects) = (new ClusterStore(), new RecordingEffects());
        await using var owner = await ClusterNode.StartAsync(store, effects);
        await owner.Host.CallAsync(key, new SessionCommand.Create(Ada, new("demo/scripted", "opencode", null, PermissionMode.Auto), "A session"), default);
        var counted = CountedReads.Over(store.Journal, out var reads);
        await using var other = await ClusterNode.StartAsync(store, effects, watchInterval: "10:00:00", change: services => services.AddSingleton(counted));
        using var leaving = new CancellationTokenSource(Bound);
        List<List<EventBatch>> told = [];
        List<Task> watching = [];
        for (var i = 0; i < Watching; i++)
        {
            told.Add([]);
            watching.Add(FollowAsync((await other.Host.SubscribeAsync(key, null, default)).Value, told[i], leaving.Token));
        }

        await Eventually.HoldsAsync(() => reads.Count >= Watching, "that each has looked for what it missed");
        await TellAsync("First", 1); // one that had looked but not caught up may look again
        await TellAsync("Second", 2);
        var before = reads.Count;
        await TellAsync("Third", 3);

        Assert.Equal(before + 1, reads.Count);
        Assert.NotNull(Assert.Single(told.Select(seen => MemoryMarshal.TryGetArray(seen[2].Utf8, out var bytes) ? bytes.Array : null).Distinct()));
        Assert.All(told, seen => Assert.Contains("Third", Encoding.UTF8.GetString(seen[2].View!.Json.Span), StringComparison.Ordinal));
        await leaving.CancelAsync();
        await Task.WhenAll(watching);

        async Task TellAsync(string name, int times)
        {
            await owner.Host.CallAsync(key, new SessionCommand.Rename(Ada, name), default);
            await Eventually.HoldsAsync(() => told.TrueForAll(seen => { lock (seen) return seen.Count == times; }), "that all are told");
        }
    }

    [Fact]
    public async Task Who_follows_through_an_outage_is_not_too_slow_for_all_that_gathered_in_it()
    {
        const int events = 500;
        const int mostBytes = 256 * 1024;
        var follower = NewFollower(mostBytes);
        await using var reading = follower.ReadAsync(CancellationToken.None).GetAsyncEnumerator();
        var first = reading.MoveNextAsync().AsTask(); // nothing is in the journal, so it is live when this returns
        await WriteAsync(events, bytes: 2 * 1024);
        var relay = NewRelay(mostBytes / 4);

        await relay.TellAsync(events, CancellationToken.None);

        Assert.Equal(events, relay.Last);
        List<long> seen = [];
        for (var more = await first.WaitAsync(Bound); more; more = await reading.MoveNextAsync().AsTask().WaitAsync(Bound))
        {
            seen.AddRange(reading.Current.Events.Select(one => one.Seq));
            if (seen[^1] == events) break;
        }

        Assert.Null(follower.Closed);
        Assert.Equal(Enumerable.Range(1, events).Select(seq => (long)seq), seen);
    }

    [Fact]
    public async Task Who_is_told_takes_no_more_room_than_what_it_is_told_and_a_view_only_when_it_is_another()
    {
        var follower = NewFollower(4 * 1024 * 1024);
        await using var reading = follower.ReadAsync(CancellationToken.None).GetAsyncEnumerator();
        var first = reading.MoveNextAsync().AsTask();
        var relay = NewRelay(1024 * 1024);
        foreach (var (view, isShown) in ((string?, bool)[])[("one", true), (null, false), (null, false), ("two", true), (null, false)])
        {
            await WriteAsync(2, bytes: 100, view);
            await relay.TellAsync(relay.Last + 2, CancellationToken.None);
            Assert.True(await first.WaitAsync(Bound));

            Assert.Equal(relay.Last, reading.Current.LastSeq);
            Assert.Equal(isShown, reading.Current.View is not null);
            Assert.True(MemoryMarshal.TryGetArray(reading.Current.Utf8, out var bytes));
            Assert.InRange(bytes.Array!.Length, reading.Current.Utf8.Length, reading.Current.Utf8.Length * 2);
            first = reading.MoveNextAsync().AsTask();
        }

        relay.Join(); // with a view of its own, which may be another
        await WriteAsync(1, bytes: 100);
        await relay.TellAsync(relay.Last + 1, CancellationToken.None);
        Assert.True(await first.WaitAsync(Bound));
        Assert.NotNull(reading.Current.View);
    }

    [Fact]
    public async Task Who_follows_what_cannot_be_read_is_let_go_to_hear_why()
    {
        var follower = NewFollower(4 * 1024 * 1024);
        lease = await journal.OpenAsync(key, HostId.New(TimeProvider.System), create: true, CancellationToken.None);
        Assert.True(await journal.AppendAsync(lease!, new(version++, "no JSON"u8.ToArray(), 1, DateTimeOffset.UnixEpoch, null, null), CancellationToken.None));

        await Assert.ThrowsAsync<PortException>(() => NewRelay(1024).TellAsync(1, CancellationToken.None));

        Assert.Equal(SubscriptionCloseReason.SourceFailed, follower.Closed);
    }

    [Fact]
    public async Task Nothing_is_told_of_a_history_that_is_another_since()
    {
        var follower = NewFollower(4 * 1024 * 1024);
        await using var reading = follower.ReadAsync(CancellationToken.None).GetAsyncEnumerator();
        var first = reading.MoveNextAsync().AsTask();
        await WriteAsync(3, bytes: 100);
        var relay = new FollowerRelay(key, new(Incarnation: 0, 0), journal, followers, _ => false, 1024);

        await relay.TellAsync(5, CancellationToken.None);

        Assert.False(await first.WaitAsync(Bound));
        Assert.Equal((SubscriptionCloseReason.SourceFailed, 3L), (follower.Closed, relay.Last));
    }

    private static async Task FollowAsync(ISessionSubscription subscription, List<EventBatch> told, CancellationToken cancellationToken)
    {
        await using var left = subscription;
        try
        {
            await foreach (var batch in subscription.ReadAsync(cancellationToken))
                lock (told) told.Add(batch);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // it has seen what it came for
        }
    }

    private Follower NewFollower(int mostBytes)
    {
        var follower = new Follower(key, journal, new(EventChunk.MostBytes, 0), new(1, 0), new(new(1, 0), default), mostBytes, followers.Remove);
        followers.Add(follower);
        return follower;
    }

    private FollowerRelay NewRelay(int mostBytes) => new(key, new(1, 0), journal, followers, _ => false, mostBytes);

    private async Task WriteAsync(int count, int bytes, string? view = null)
    {
        lease ??= await journal.OpenAsync(key, HostId.New(TimeProvider.System), create: true, CancellationToken.None);
        var payload = Encoding.UTF8.GetBytes($$"""{"facts":[],"events":[{"text":"{{new string('x', bytes)}}"}]}""");
        for (var i = 0; i < count; i++)
            Assert.True(await journal.AppendAsync(lease!, new(version++, payload, 1, DateTimeOffset.UnixEpoch, null, view is null ? (ReadOnlyMemory<byte>?)null : Encoding.UTF8.GetBytes(view)), CancellationToken.None));
    }

    /// <summary>A journal that counts how often a session's events are asked for, and says so once they were given.</summary>
    public class CountedReads : DispatchProxy
    {
        private ISessionJournal inner = null!;
        private int count;

        public int Count => Volatile.Read(ref count);

        public static ISessionJournal Over(ISessionJournal journal, out CountedReads reads)
        {
            var proxy = Create<ISessionJournal, CountedReads>();
            reads = (CountedReads)(object)proxy;
            reads.inner = journal;
            return proxy;
        }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod!.Name == nameof(ISessionJournal.ReadEventsAsync)
            ? ReadAsync((IAsyncEnumerable<JournalRecord>)targetMethod.Invoke(inner, args)!)
            : targetMethod.Invoke(inner, args);

        private async IAsyncEnumerable<JournalRecord> ReadAsync(IAsyncEnumerable<JournalRecord> records)
        {
            await foreach (var record in records) yield return record;
            Interlocked.Increment(ref count);
        }
    }
}
