using System.Collections.Concurrent;
using System.Reflection;
using System.Text;
using Coordinator.Adapters.InProcess;
using Coordinator.Fakes;
using Coordinator.Modules.Sessions;
using Coordinator.Modules.Sessions.Actor;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionHost;

/// <summary>What a session that is awake keeps of what it told last, and when it is not believed.</summary>
public sealed class RecentEventsTests
{
    private const int Bytes = 128 * 1024;
    private const int Titles = 300;
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(2);
    private static readonly Principal Ada = new(PrincipalKind.User, "usr_ada", "Ada");
    private static readonly SessionKey Key = NewKey();

    [Fact]
    public async Task Who_was_away_for_a_moment_is_told_what_it_missed_without_the_journal_being_read()
    {
        var journal = CountingJournal.Over(new InMemorySessionJournal(TimeProvider.System));
        await using var host = Host(journal);
        await WriteAsync(host, Titles);

        var seen = await FollowAsync(host, new(1, 0), await HeadAsync(host));

        Assert.Equal(Enumerable.Range(1, seen.Count).Select(seq => (long)seq), seen.Keys.Order());
        Assert.Equal(0, CountingJournal.ReadsOf(journal));
        await host.DrainAsync(CancellationToken.None);
    }

    [Fact]
    public async Task What_is_told_from_memory_is_byte_for_byte_what_the_journal_holds()
    {
        var journal = new InMemorySessionJournal(TimeProvider.System);
        await using var awake = Host(journal);
        await WriteAsync(awake, 20);
        var head = await HeadAsync(awake);
        var remembered = await FollowAsync(awake, new(1, 3), head);
        await awake.DrainAsync(CancellationToken.None);
        await using var asleep = Host(journal);

        var read = await FollowAsync(asleep, new(1, 3), head);

        Assert.Equal(read.OrderBy(one => one.Key), remembered.OrderBy(one => one.Key));
    }

    [Fact]
    public async Task What_is_not_kept_any_more_comes_from_the_journal_and_nothing_is_left_out()
    {
        var journal = CountingJournal.Over(new InMemorySessionJournal(TimeProvider.System));
        await using var host = Host(journal, Bytes);
        for (var i = 0; i < 40; i++) await host.CallAsync(Key, i == 0 ? Create() : Prompt(new string('x', 10_000)), CancellationToken.None);
        var head = await HeadAsync(host);

        var all = await FollowAsync(host, new(1, 0), head);
        var reads = CountingJournal.ReadsOf(journal);
        var last = await FollowAsync(host, new(1, head - 2), head);

        Assert.Equal(Enumerable.Range(1, (int)head).Select(seq => (long)seq), all.Keys.Order());
        Assert.Equal(1, reads);
        Assert.Equal([head - 1, head], last.Keys.Order());
        Assert.Equal(1, CountingJournal.ReadsOf(journal));
        await host.DrainAsync(CancellationToken.None);
    }

    [Fact]
    public async Task Who_comes_at_any_moment_while_a_session_writes_gets_every_event_once_and_in_order()
    {
        await using var host = Host(new InMemorySessionJournal(TimeProvider.System), Bytes);
        await host.CallAsync(Key, Create(), CancellationToken.None);
        var writing = Task.Run(() => WriteAsync(host, Titles));
        var following = Enumerable.Range(0, 40).Select(i => Task.Run(async () =>
        {
            while (await HeadAsync(host) < i * Titles / 40) await Task.Yield();
            return await FollowAsync(host, new(1, i), Titles + 1);
        })).ToList();

        await writing.WaitAsync(Bound);
        foreach (var (i, seen) in (await Task.WhenAll(following).WaitAsync(Bound)).Index())
            Assert.Equal(Enumerable.Range(i + 1, Titles + 1 - i).Select(seq => (long)seq), seen.Keys.Order());
        await host.DrainAsync(CancellationToken.None);
    }

    [Fact]
    public void A_tail_that_reaches_less_far_than_is_known_is_not_believed()
    {
        var recent = new RecentEvents(Bytes, Bytes);
        recent.Begin(Lease(seq: 0)).Add(Batch(1, 3));

        Assert.Null(recent.After(Key, new(1, 1), least: 4));
        Assert.Equal([2, 3], Seqs(recent.After(Key, new(1, 1), least: 3)));
    }

    [Fact]
    public void A_tail_tells_nothing_to_a_cursor_of_another_history_or_from_before_it()
    {
        var recent = new RecentEvents(Bytes, Bytes);
        recent.Begin(Lease(seq: 10)).Add(Batch(11, 12));

        Assert.Null(recent.After(Key, new(2, 11), least: 0));
        Assert.Null(recent.After(Key, new(1, 9), least: 0));
        Assert.Null(recent.After(NewKey(), new(1, 10), least: 0));
        Assert.Equal([11, 12], Seqs(recent.After(Key, new(1, 10), least: 12)));
        Assert.Equal([], Seqs(recent.After(Key, new(1, 12), least: 12)));
    }

    [Fact]
    public void Over_a_gap_nothing_is_told()
    {
        var recent = new RecentEvents(Bytes, Bytes);
        var tail = recent.Begin(Lease(seq: 0));
        tail.Add(Batch(1, 2));
        tail.Add(Batch(5, 6));

        Assert.Null(recent.After(Key, new(1, 1), least: 0));
        Assert.Equal([5, 6], Seqs(recent.After(Key, new(1, 4), least: 6)));
    }

    [Fact]
    public void A_tail_that_is_over_tells_and_holds_nothing_and_the_next_one_is_not_ended_with_it()
    {
        var recent = new RecentEvents(Bytes, Bytes);
        var first = recent.Begin(Lease(seq: 0));
        first.Add(Batch(1, 2));
        var second = recent.Begin(Lease(seq: 2));
        second.Add(Batch(3, 4));
        recent.End(Key, first);
        first.Add(Batch(3, 9));

        Assert.Equal([3, 4], Seqs(recent.After(Key, new(1, 2), least: 4)));
        recent.End(Key, second);
        Assert.Null(recent.After(Key, new(1, 2), least: 4));
        Assert.Equal(0, recent.Bytes);
    }

    [Fact]
    public void All_sessions_together_keep_to_their_bound_and_the_oldest_is_let_go_first()
    {
        var recent = new RecentEvents(int.MaxValue, Bytes);
        var sessions = Enumerable.Range(0, 50).Select(_ => NewKey()).ToList();
        foreach (var session in sessions)
        {
            var tail = recent.Begin(Lease(0, session));
            for (var seq = 1; seq <= 200; seq++) tail.Add(Batch(seq, seq));
            Assert.InRange(recent.Bytes, 1, Bytes);
        }

        Assert.Null(recent.After(sessions[0], new(1, 0), least: 200));
        Assert.Equal(200, Seqs(recent.After(sessions[^1], new(1, 0), least: 200)).Count);
    }

    private static SessionKey NewKey() => new(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));

    private static JournalLease Lease(long seq, SessionKey? key = null) => new(key ?? Key, HostId.New(TimeProvider.System), 1, seq, seq, 1);

    /// <summary>Events of which each is its number, 64 characters wide.</summary>
    private static EventBatch Batch(long first, long last)
    {
        var texts = Enumerable.Range((int)first, (int)(last - first + 1)).Select(seq => seq.ToString("D64", null)).ToList();
        return new(first, last, Encoding.UTF8.GetBytes(string.Join(',', texts)), [.. texts.Select((_, i) => new EventSlice(first + i, i * 65, 64))]);
    }

    private static List<long> Seqs(IReadOnlyList<EventBatch>? batches)
    {
        Assert.NotNull(batches);
        foreach (var batch in batches)
            foreach (var slice in batch.Events)
                Assert.Equal(slice.Seq, long.Parse(Encoding.UTF8.GetString(batch.Utf8.Span.Slice(slice.Offset, slice.Length)), null));
        return [.. batches.SelectMany(batch => batch.Events).Select(slice => slice.Seq)];
    }

    private static InProcessSessionHost Host(ISessionJournal journal, int bytesOfSession = 1024 * 1024) => new(
        journal,
        new SessionMachineFactory(SessionLimits.Default, new PlainTokens()),
        [new RecordingEffects()],
        Options.Create(new SessionHostOptions { RecentBytesOfSession = bytesOfSession }),
        TimeProvider.System,
        NullLogger<InProcessSessionHost>.Instance);

    private static SessionCommand.Create Create() => new(Ada, new("demo/scripted", "opencode", null, PermissionMode.Auto), "A session");

    private static SessionCommand.Prompt Prompt(string text) => new(Ada, MessageId.New(TimeProvider.System), null, text, null, null);

    private static async Task WriteAsync(InProcessSessionHost host, int titles)
    {
        await host.CallAsync(Key, Create(), CancellationToken.None);
        for (var i = 0; i < titles; i++) await host.CallAsync(Key, new SessionCommand.Rename(Ada, $"Title {i}"), CancellationToken.None);
    }

    private static async Task<long> HeadAsync(InProcessSessionHost host)
    {
        await using var subscription = (await host.SubscribeAsync(Key, null, CancellationToken.None)).Value;
        return subscription.Start.Seq;
    }

    /// <summary>Every event by its number, up to <paramref name="last"/>; fails over one that comes twice or out of order.</summary>
    private static async Task<Dictionary<long, string>> FollowAsync(InProcessSessionHost host, SessionCursor after, long last)
    {
        await using var subscription = (await host.SubscribeAsync(Key, after, CancellationToken.None)).Value;
        using var limit = new CancellationTokenSource(Bound);
        var (seen, at) = (new Dictionary<long, string>(), after.Seq);
        await foreach (var batch in subscription.ReadAsync(limit.Token))
        {
            foreach (var slice in batch.Events)
            {
                Assert.Equal(++at, slice.Seq);
                seen.Add(slice.Seq, Encoding.UTF8.GetString(batch.Utf8.Span.Slice(slice.Offset, slice.Length)));
            }

            if (at >= last) break;
        }

        return seen;
    }
}

/// <summary>A journal that counts how often its events are read.</summary>
public class CountingJournal : DispatchProxy
{
    private readonly ConcurrentQueue<SessionKey> reads = new();
    private ISessionJournal inner = null!;

    public static ISessionJournal Over(ISessionJournal journal)
    {
        var proxy = Create<ISessionJournal, CountingJournal>();
        ((CountingJournal)(object)proxy).inner = journal;
        return proxy;
    }

    public static int ReadsOf(ISessionJournal proxy) => ((CountingJournal)(object)proxy).reads.Count;

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        if (targetMethod!.Name == nameof(ISessionJournal.ReadEventsAsync)) reads.Enqueue((SessionKey)args![0]!);
        return targetMethod.Invoke(inner, args);
    }
}
