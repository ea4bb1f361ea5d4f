using System.Text;
using Coordinator.Ports;
using Coordinator.Ports.Record;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Conformance.EventFeed;

/// <summary>What every event feed promises about topics, watermarks and retention.</summary>
public abstract class EventFeedContract
{
    protected const string Topic = "sessions";

    protected OrganizationId Organization { get; } = OrganizationId.New(TimeProvider.System);

    protected abstract IEventFeed Feed { get; }

    /// <summary>Changes the payload of a stored document behind the feed's back.</summary>
    protected abstract ValueTask TamperAsync(OrganizationId organization, string topic, long watermark, byte[] payload);

    [Fact]
    public async Task A_document_is_read_as_it_was_published()
    {
        var document = Document("ses_1", 3, """{"title":"Grüße"}""");

        var heads = await Feed.PublishAsync(Organization, [document], default);

        Assert.Equal(1, heads[Topic]);
        var page = (await Feed.ReadAsync(Organization, Topic, 0, 10, default)).Value;
        Assert.Equal(new FeedEntry(1, document), Assert.Single(page.Entries));
        Assert.Equal(1, page.Head);
    }

    [Fact]
    public async Task A_thing_that_is_gone_is_told_without_a_payload()
    {
        await Feed.PublishAsync(Organization, [Document("ses_1", 1), FeedDocument.Of(Topic, "ses_1", 2, null)], default);

        var gone = (await Feed.ReadAsync(Organization, Topic, 1, 10, default)).Value.Entries.Single().Document;

        Assert.Null(gone.Payload);
        Assert.Equal(2, gone.DocVersion);
        Assert.True(gone.IsIntact);
    }

    [Fact]
    public async Task Every_topic_counts_for_itself_and_keeps_the_order_it_was_told_in()
    {
        var heads = await Feed.PublishAsync(Organization, [Document("a", 1), Document("x", 1, topic: "runs"), Document("b", 1), Document("a", 2)], default);

        Assert.Equal((3, 1), (heads[Topic], heads["runs"]));
        Assert.Equal([(1, "a", 1), (2, "b", 1), (3, "a", 2)], await TellAsync(Topic));
        Assert.Equal([(1, "x", 1)], await TellAsync("runs"));
    }

    [Fact]
    public async Task Publishing_the_same_again_changes_nothing()
    {
        FeedDocument[] documents = [Document("a", 1), Document("b", 7), Document("a", 2)];
        await Feed.PublishAsync(Organization, documents, default);

        var heads = await Feed.PublishAsync(Organization, documents, default);

        Assert.Equal(3, heads[Topic]);
        Assert.Equal(3, (await TellAsync(Topic)).Count);
    }

    [Fact]
    public async Task A_version_that_comes_late_changes_nothing()
    {
        await Feed.PublishAsync(Organization, [Document("a", 5)], default);

        await Feed.PublishAsync(Organization, [Document("a", 4), Document("a", 6), Document("a", 6)], default);

        Assert.Equal([(1, "a", 5), (2, "a", 6)], await TellAsync(Topic));
    }

    [Fact]
    public async Task What_was_purged_is_not_told_again()
    {
        await Feed.PublishAsync(Organization, [Document("a", 1)], default);
        await Feed.PurgeAsync(Organization, Topic, 1, default);

        Assert.Equal(1, (await Feed.PublishAsync(Organization, [Document("a", 1)], default))[Topic]);
    }

    [Fact]
    public async Task A_batch_with_one_bad_document_publishes_nothing()
    {
        FeedDocument[] bad =
        [
            Document("a", 0), Document("A", 1), Document("", 1), Document("a", 1, topic: "Sessions"), Document("a", 1, topic: new string('t', 201)),
            Document("a", 1) with { PayloadHash = new string('0', 64) }, Document("a", 1, payload: ""), Document("a", 1, payload: new string('x', FeedRules.LargestPayload + 1)),
        ];
        foreach (var document in bad) await PortAssert.FailsAsync(PortFailureKind.Rejected, () => Feed.PublishAsync(Organization, [Document("good", 1), document], default));
        await PortAssert.FailsAsync(PortFailureKind.Rejected, () => Feed.PublishAsync(Organization, [.. Enumerable.Range(1, FeedRules.MostDocuments + 1).Select(version => Document("a", version))], default));

        Assert.Equal(new FeedTopic(0, 0), await Feed.FindTopicAsync(Organization, Topic, default));
    }

    [Fact]
    public async Task Nothing_published_is_nothing_changed() => Assert.Empty(await Feed.PublishAsync(Organization, [], default));

    [Fact]
    public async Task Pages_follow_on_without_gap_or_repeat()
    {
        await Feed.PublishAsync(Organization, [.. Enumerable.Range(1, 25).Select(i => Document($"d{i}", 1))], default);

        var (seen, after) = (new List<long>(), 0L);
        while ((await Feed.ReadAsync(Organization, Topic, after, 10, default)).Value is { Entries.Count: > 0 } page)
        {
            Assert.Equal(25, page.Head);
            seen.AddRange(page.Entries.Select(entry => entry.Watermark));
            after = seen[^1];
        }

        Assert.Equal(Enumerable.Range(1, 25).Select(i => (long)i), seen);
    }

    [Fact]
    public async Task A_topic_that_nobody_published_to_is_empty()
    {
        var page = (await Feed.ReadAsync(Organization, Topic, 0, 10, default)).Value;

        Assert.Empty(page.Entries);
        Assert.Equal(0, page.Head);
        Assert.Equal(new FeedTopic(0, 0), await Feed.FindTopicAsync(Organization, Topic, default));
        Assert.Equal(new FeedTopic(0, 0), await Feed.PurgeAsync(Organization, Topic, 5, default));
    }

    [Fact]
    public async Task Watermarks_have_no_gap_whoever_publishes_at_the_same_time()
    {
        string[] topics = ["alpha", "beta", "gamma"];
        var writers = Enumerable.Range(0, 8).Select(writer => Task.Run(async () =>
        {
            for (var round = 1; round <= 10; round++)
            {
                // Every writer names the topics in another order: nobody may wait for anybody crosswise.
                var order = topics.Skip(writer % 3).Concat(topics.Take(writer % 3));
                await Feed.PublishAsync(Organization, [.. order.Select(topic => Document($"w{writer}", round, topic: topic))], default);
            }
        }));

        await Task.WhenAll(writers);

        foreach (var topic in topics)
        {
            var told = await TellAsync(topic);
            Assert.Equal(Enumerable.Range(1, 80).Select(i => (long)i), told.Select(one => one.Watermark));
            Assert.All(told.GroupBy(one => one.Key), document => Assert.Equal(document.Select(one => one.Version).Order(), document.Select(one => one.Version)));
        }
    }

    [Fact]
    public async Task One_who_follows_while_others_publish_misses_nothing()
    {
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var following = FollowAsync(60, bound.Token);

        await Task.WhenAll(Enumerable.Range(0, 6).Select(writer => Task.Run(async () =>
        {
            for (var version = 1; version <= 10; version++) await Feed.PublishAsync(Organization, [Document($"w{writer}", version)], default);
        })));

        Assert.Equal(Enumerable.Range(1, 60).Select(i => (long)i), await following);
    }

    [Fact]
    public async Task A_cursor_below_the_floor_is_stale()
    {
        await PublishAsync(5);
        Assert.Equal(new FeedTopic(5, 3), await Feed.PurgeAsync(Organization, Topic, 3, default));

        await StaleAsync(2);
        Assert.Equal([4L, 5L], (await Feed.ReadAsync(Organization, Topic, 3, 10, default)).Value.Entries.Select(entry => entry.Watermark));
    }

    [Fact]
    public async Task A_cursor_ahead_of_the_head_silently_skips_events()
    {
        await PublishAsync(5);

        await StaleAsync(6);
        Assert.Empty((await Feed.ReadAsync(Organization, Topic, 5, 10, default)).Value.Entries);
    }

    [Fact]
    public async Task A_fully_purged_topic_does_not_look_stale()
    {
        await PublishAsync(5);
        Assert.Equal(new FeedTopic(5, 5), await Feed.PurgeAsync(Organization, Topic, long.MaxValue, default));

        await StaleAsync(0);
        await StaleAsync(4);
        Assert.Empty((await Feed.ReadAsync(Organization, Topic, 5, 10, default)).Value.Entries);
        await Feed.PublishAsync(Organization, [Document("next", 1)], default);
        Assert.Equal([6L], (await Feed.ReadAsync(Organization, Topic, 5, 10, default)).Value.Entries.Select(entry => entry.Watermark));
    }

    [Fact]
    public async Task A_floor_never_goes_back()
    {
        await PublishAsync(5);
        await Feed.PurgeAsync(Organization, Topic, 4, default);

        Assert.Equal(new FeedTopic(5, 4), await Feed.PurgeAsync(Organization, Topic, 1, default));
    }

    [Fact]
    public async Task Documents_expire_by_age_and_move_the_floor()
    {
        await PublishAsync(5);

        Assert.Equal(0, await Feed.ExpireAsync(TimeSpan.FromDays(1), default));
        Assert.Equal(new FeedTopic(5, 0), await Feed.FindTopicAsync(Organization, Topic, default));
        while (await Feed.ExpireAsync(TimeSpan.Zero, default) > 0)
        {
        }

        Assert.Equal(new FeedTopic(5, 5), await Feed.FindTopicAsync(Organization, Topic, default));
        await StaleAsync(4);
    }

    [Fact]
    public async Task A_document_that_was_changed_behind_the_feeds_back_is_not_passed_on()
    {
        await PublishAsync(3);
        await TamperAsync(Organization, Topic, 2, "{}"u8.ToArray());

        await PortAssert.FailsAsync(PortFailureKind.Corrupt, () => Feed.ReadAsync(Organization, Topic, 0, 10, default));
        Assert.Single((await Feed.ReadAsync(Organization, Topic, 2, 10, default)).Value.Entries);
    }

    [Fact]
    public async Task A_wake_up_comes_with_what_woke()
    {
        await PublishAsync(2);
        var waiting = Feed.WaitAsync(Organization, Known(2), default).AsTask();
        await PublishAsync(3);

        await waiting.WaitAsync(TimeSpan.FromSeconds(20));

        Assert.Single((await Feed.ReadAsync(Organization, Topic, 2, 10, default)).Value.Entries);
    }

    [Fact]
    public async Task One_who_is_behind_or_ahead_does_not_wait()
    {
        await PublishAsync(2);

        await Feed.WaitAsync(Organization, Known(1), default).AsTask().WaitAsync(TimeSpan.FromSeconds(20));
        await Feed.WaitAsync(Organization, Known(3), default).AsTask().WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task Waiting_can_be_given_up()
    {
        using var giveUp = new CancellationTokenSource();
        var waiting = Feed.WaitAsync(Organization, Known(0), giveUp.Token).AsTask();
        await giveUp.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public async Task Another_tenants_topic_of_the_same_name_is_another_topic()
    {
        var foreign = OrganizationId.New(TimeProvider.System);
        await PublishAsync(3);
        await Feed.PublishAsync(foreign, [Document("theirs", 1)], default);

        var theirs = (await Feed.ReadAsync(foreign, Topic, 0, 10, default)).Value;

        Assert.Equal("theirs", Assert.Single(theirs.Entries).Document.DocKey);
        Assert.Equal(1, theirs.Head);
        await Feed.PurgeAsync(foreign, Topic, long.MaxValue, default);
        Assert.Equal(new FeedTopic(3, 0), await Feed.FindTopicAsync(Organization, Topic, default));
        Assert.DoesNotContain(await TellAsync(Topic), one => one.Key == "theirs");
    }

    protected static FeedDocument Document(string key, long version, string payload = """{"a":1}""", string topic = Topic) =>
        FeedDocument.Of(topic, key, version, Encoding.UTF8.GetBytes(payload));

    protected static Dictionary<string, long> Known(long watermark) => new() { [Topic] = watermark };

    /// <summary>Publishes so that the topic has this many documents.</summary>
    protected async Task PublishAsync(int count) => await Feed.PublishAsync(Organization, [.. Enumerable.Range(1, count).Select(i => Document($"d{i}", 1))], default);

    private async Task StaleAsync(long after)
    {
        var problem = (await Feed.ReadAsync(Organization, Topic, after, 10, default)).Problem;
        Assert.Equal((FeedProblems.StaleCursorCode, ProblemKind.Gone), (problem?.Code, problem?.Kind));
    }

    private async Task<List<long>> FollowAsync(int count, CancellationToken cancellationToken)
    {
        var seen = new List<long>();
        while (seen.Count < count)
        {
            await Feed.WaitAsync(Organization, Known(seen.LastOrDefault()), cancellationToken);
            seen.AddRange((await Feed.ReadAsync(Organization, Topic, seen.LastOrDefault(), 7, cancellationToken)).Value.Entries.Select(entry => entry.Watermark));
        }

        return seen;
    }

    private async Task<List<(long Watermark, string Key, long Version)>> TellAsync(string topic) =>
        [.. (await Feed.ReadAsync(Organization, topic, 0, 1_000, default)).Value.Entries.Select(entry => (entry.Watermark, entry.Document.DocKey, entry.Document.DocVersion))];
}
