using System.Text;
using Coordinator.Adapters.InProcess;
using Coordinator.Fakes;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionHost;

/// <summary>A follower that is let go while it is behind another host's events: where it stands is where it resumes, so nothing is told beyond what it has not read.</summary>
public sealed class FollowerClosingTests
{
    private const int Told = 10;
    private const int MaxBytes = 4 * 1024 * 1024;
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(2);

    private readonly InMemorySessionJournal journal = new(TimeProvider.System);
    private readonly SessionKey key = new(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));

    [Theory]
    [InlineData(SubscriptionCloseReason.HostRestarting)]
    [InlineData(SubscriptionCloseReason.SourceFailed)]
    public async Task A_follower_that_is_closed_before_it_reads_what_another_host_wrote_is_told_nothing_that_came_after(SubscriptionCloseReason reason)
    {
        var follower = NewFollower();
        await using var events = await StandingAtTenAsync(follower);
        await ElsewhereAsync(padding: 0);
        follower.Offer(new(Told + 4, Told + 3, default, [])); // as the next activation announces it
        follower.Offer(Batch(Told + 4, Told + 4));
        follower.Close(reason);

        Assert.Empty(await RestAsync(events));
    }

    [Fact]
    public async Task A_follower_that_is_closed_while_it_reads_what_another_host_wrote_is_told_nothing_after_what_it_read()
    {
        var follower = NewFollower();
        await using var events = await StandingAtTenAsync(follower);
        await ElsewhereAsync(padding: EventChunk.MostBytes); // each is a batch by itself
        follower.Offer(Batch(Told + 4, Told + 4));
        Assert.True(await events.MoveNextAsync().AsTask().WaitAsync(Bound));
        Assert.Equal(Told + 1, events.Current.LastSeq);
        follower.Close(SubscriptionCloseReason.TooSlow);

        Assert.Empty(await RestAsync(events));
    }

    [Fact]
    public async Task A_follower_that_is_closed_is_still_told_what_follows_on_what_it_has()
    {
        var follower = NewFollower();
        await using var events = await StandingAtTenAsync(follower);
        follower.Offer(Batch(Told - 1, Told + 1));
        follower.Offer(Batch(Told + 2, Told + 3));
        follower.Close(SubscriptionCloseReason.HostRestarting);

        Assert.Equal([Told + 1L, Told + 2L, Told + 3L], await RestAsync(events));
    }

    private Follower NewFollower() => new(key, journal, new(EventChunk.MostBytes, 0), new(1, 0), new(new(1, 0), default), MaxBytes, _ => { });

    /// <summary>It is live, was told ten events, and asks for no more for now.</summary>
    private static async Task<IAsyncEnumerator<EventBatch>> StandingAtTenAsync(Follower follower)
    {
        var events = follower.ReadAsync(CancellationToken.None).GetAsyncEnumerator();
        var first = events.MoveNextAsync().AsTask(); // nothing is in the journal, so it is live when this returns
        follower.Offer(Batch(1, Told));
        Assert.True(await first.WaitAsync(Bound));
        Assert.Equal(Told, events.Current.LastSeq);
        return events;
    }

    /// <summary>What the journal holds in the end: the ten, and three that nobody published here, each in a record of its own.</summary>
    private async Task ElsewhereAsync(int padding)
    {
        var lease = await journal.OpenAsync(key, HostId.New(TimeProvider.System), create: true, CancellationToken.None);
        Assert.NotNull(lease);
        var version = 0L;
        foreach (var count in (int[])[Told, 1, 1, 1])
        {
            var envelope = $$"""{"text":"{{new string('x', count == 1 ? padding : 0)}}"}""";
            var payload = $$"""{"facts":[],"events":[{{string.Join(',', Enumerable.Repeat(envelope, count))}}]}""";
            Assert.True(await journal.AppendAsync(lease, new(version++, Encoding.UTF8.GetBytes(payload), count, DateTimeOffset.UnixEpoch, null, null), CancellationToken.None));
        }
    }

    private static EventBatch Batch(long first, long last)
    {
        var slices = Enumerable.Range(0, (int)(last - first + 1)).Select(i => new EventSlice(first + i, i * 3, 2)).ToList();
        return new(first, last, Encoding.UTF8.GetBytes(string.Join(',', slices.Select(_ => "{}"))), slices);
    }

    private static async Task<List<long>> RestAsync(IAsyncEnumerator<EventBatch> events)
    {
        List<long> seen = [];
        while (await events.MoveNextAsync().AsTask().WaitAsync(Bound)) seen.AddRange(events.Current.Events.Select(slice => slice.Seq));
        return seen;
    }
}
