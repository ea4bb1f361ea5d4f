using System.Text;
using Coordinator.Adapters.InProcess;
using Coordinator.Fakes;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionHost;

/// <summary>Events that are removed between the look at where they begin and their reading: whoever was to follow from there is let go, and shown no gap.</summary>
public sealed class FollowerRetentionTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(90);
    private static readonly HostId Writer = HostId.New(TimeProvider.System);

    private readonly InMemorySessionJournal journal = new(TimeProvider.System);
    private readonly Followers followers = new();
    private readonly SessionKey key = new(OrganizationId.New(TimeProvider.System), SessionId.New(TimeProvider.System));
    private long version;

    [Theory]
    [InlineData(0, false)]
    [InlineData(0, true)]
    [InlineData(1, true)]
    public async Task Who_reads_the_past_only_after_it_is_gone_is_told_nothing_of_what_came_behind_it(long after, bool goesOn)
    {
        await WriteAsync(2);
        var follower = NewFollower(after);
        await ExpireAsync();
        if (goesOn) await WriteAsync(1);

        await using var reading = follower.ReadAsync(CancellationToken.None).GetAsyncEnumerator();

        await GoneAsync(reading.MoveNextAsync().AsTask());
    }

    [Fact]
    public async Task Who_is_live_and_has_not_been_told_of_what_is_gone_is_not_told_what_came_behind_it()
    {
        var follower = NewFollower(0);
        await using var reading = follower.ReadAsync(CancellationToken.None).GetAsyncEnumerator();
        var next = reading.MoveNextAsync().AsTask(); // nothing is in the journal, so it is live when this returns
        await WriteAsync(2);
        await ExpireAsync();

        follower.Offer(new(3, 3, "{}"u8.ToArray(), [new(3, 0, 2)]));

        await GoneAsync(next);
    }

    [Fact]
    public async Task Those_who_follow_elsewhere_are_let_go_together_and_who_follows_behind_the_gap_is_told_what_comes()
    {
        await WriteAsync(2);
        var early = NewFollower(0);
        var relay = new FollowerRelay(key, new(1, 0), journal, followers, _ => false, 1024);
        await ExpireAsync();
        await WriteAsync(1);

        await relay.TellAsync(3, CancellationToken.None);

        Assert.Equal((SubscriptionCloseReason.SourceFailed, 3L), (early.Closed, relay.Last));
        followers.Remove(early);
        await using var reading = NewFollower(3).ReadAsync(CancellationToken.None).GetAsyncEnumerator();
        var next = reading.MoveNextAsync().AsTask();
        await WriteAsync(1);
        await relay.TellAsync(4, CancellationToken.None);
        Assert.True(await next.WaitAsync(Bound));
        Assert.Equal(4, reading.Current.LastSeq);
    }

    private static async Task GoneAsync(Task<bool> next) =>
        Assert.Equal("cursor_invalid", (await Assert.ThrowsAsync<PortException>(() => next.WaitAsync(Bound))).Told?.Code);

    private Follower NewFollower(long after)
    {
        var follower = new Follower(key, journal, new(EventChunk.MostBytes, 0), new(1, after), new(new(1, after), default), 1024 * 1024, followers.Remove);
        followers.Add(follower);
        return follower;
    }

    /// <summary>Each in a record of its own, by a host that lets the session go then.</summary>
    private async Task WriteAsync(int events)
    {
        var lease = (await journal.OpenAsync(key, Writer, create: true, CancellationToken.None))!;
        for (var i = 0; i < events; i++)
            Assert.True(await journal.AppendAsync(lease, new(version++, Encoding.UTF8.GetBytes("""{"facts":[],"events":[{}]}"""), 1, DateTimeOffset.UnixEpoch, null, null), CancellationToken.None));
        await journal.ReleaseAsync(lease, CancellationToken.None);
    }

    private async Task ExpireAsync() => Assert.Equal(1, await journal.ExpireEventsAsync(TimeSpan.FromMinutes(-1), CancellationToken.None));
}
