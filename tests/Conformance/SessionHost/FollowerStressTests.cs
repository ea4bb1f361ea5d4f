using System.Security.Cryptography;
using Coordinator.Adapters.InProcess;
using Coordinator.Fakes;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionHost;

/// <summary>A follower that is dropped while it reads: what it read is whole, and its reading ends.</summary>
public sealed class FollowerStressTests
{
    private const int Rounds = 2_000;
    private const int BatchBytes = 1_024;
    private static readonly byte[] Envelope = new byte[BatchBytes];
    private const int MaxBatches = 2_000;
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_follower_that_is_dropped_while_it_reads_has_read_everything_up_to_some_event_once_and_in_order()
    {
        var journal = new InMemorySessionJournal(TimeProvider.System);
        var key = new SessionKey(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));
        for (var round = 0; round < Rounds; round++)
        {
            var follower = new Follower(key, journal, new(EventChunk.MostBytes, 0), new(1, 0), new(new(1, 0), default), MaxBatches * BatchBytes, _ => { });
            await using var events = follower.ReadAsync(CancellationToken.None).GetAsyncEnumerator();
            var first = events.MoveNextAsync().AsTask(); // nothing is in the journal, so it is live when this returns
            var publishing = Task.Run(() => Publish(follower));
            var reading = Task.Run(() => ReadAsync(events, first));

            await publishing.WaitAsync(Bound);
            var seen = await reading.WaitAsync(Bound);

            Assert.Equal(Enumerable.Range(1, seen.Count).Select(seq => (long)seq), seen);
            Assert.Equal(SubscriptionCloseReason.TooSlow, follower.Closed);
        }
    }

    [Fact]
    public async Task A_follower_that_reads_nothing_is_dropped_before_what_waits_for_it_and_the_views_of_it_are_more_than_its_bound()
    {
        const int viewBytes = 100 * 1024;
        const int maxBytes = 4 * 1024 * 1024;
        var journal = new InMemorySessionJournal(TimeProvider.System);
        var key = new SessionKey(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));
        var follower = new Follower(key, journal, new(EventChunk.MostBytes, 0), new(1, 0), new(new(1, 0), default), maxBytes, _ => { });
        await using var events = follower.ReadAsync(CancellationToken.None).GetAsyncEnumerator();
        var first = events.MoveNextAsync().AsTask(); // nothing is in the journal, so it is live when this returns
        follower.Offer(new(1, 1, new byte[2], [new(1, 0, 2)]));
        Assert.True(await first.WaitAsync(Bound));

        var offered = 0;
        for (var seq = 2L; follower.Closed is null && offered < 1_000; seq++, offered++)
            follower.Offer(new(seq, seq, new byte[2], [new(seq, 0, 2)]) { View = new(new(1, seq), new byte[viewBytes]) });

        Assert.Equal(SubscriptionCloseReason.TooSlow, follower.Closed);
        Assert.InRange(offered, 2, (maxBytes / viewBytes) + 1);
        Assert.False(await events.MoveNextAsync().AsTask().WaitAsync(Bound));
    }

    [Fact]
    public async Task A_follower_that_keeps_up_is_told_every_view_however_many_and_large_they_are()
    {
        const int maxBytes = 64 * 1024;
        var journal = new InMemorySessionJournal(TimeProvider.System);
        var key = new SessionKey(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));
        var follower = new Follower(key, journal, new(EventChunk.MostBytes, 0), new(1, 0), new(new(1, 0), default), maxBytes, _ => { });
        await using var events = follower.ReadAsync(CancellationToken.None).GetAsyncEnumerator();
        for (var seq = 1L; seq <= 100; seq++)
        {
            var next = events.MoveNextAsync().AsTask();
            follower.Offer(new(seq, seq, new byte[2], [new(seq, 0, 2)]) { View = new(new(1, seq), new byte[100 * 1024]) });
            Assert.True(await next.WaitAsync(Bound));
            Assert.Equal(seq, events.Current.View?.Cursor.Seq);
        }

        Assert.Null(follower.Closed);
    }

    private static async Task<List<long>> ReadAsync(IAsyncEnumerator<EventBatch> events, Task<bool> first)
    {
        List<long> seen = [];
        for (var more = await first; more; more = await events.MoveNextAsync())
        {
            seen.Add(events.Current.FirstSeq);
            SHA256.HashData(events.Current.Utf8.Span); // slower than what publishes, and at it when the follower is dropped
        }

        return seen;
    }

    /// <summary>Offers more than anybody can read.</summary>
    private static void Publish(Follower follower)
    {
        for (var seq = 1L; follower.Closed is null; seq++) follower.Offer(new(seq, seq, Envelope, [new(seq, 0, BatchBytes)]));
    }
}
