using System.Text.Json;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Xunit;

namespace Coordinator.Tests.Conformance.SessionJournal;

/// <summary>What every journal promises of events that are not kept for ever.</summary>
public abstract class SessionJournalRetentionContract : SessionJournalReadingContract
{
    /// <summary>So short that whatever was written is older.</summary>
    private static readonly TimeSpan Any = TimeSpan.FromMinutes(-1);

    [Fact]
    public async Task The_events_of_a_session_that_is_over_are_gone_and_its_facts_are_what_they_were()
    {
        var key = await OverAsync(3);
        var before = await ReadAllAsync(key);

        await ExpireAllAsync(Any);

        var head = (await Journal.FindHeadAsync(key, default))!;
        Assert.Equal((3L, 6L, 6L), (head.Version, head.Seq, head.Floor));
        var after = await ReadAllAsync(key);
        Assert.Equal(before.Select(record => (record.Version, record.FirstSeq, record.LastSeq, record.At)), after.Select(record => (record.Version, record.FirstSeq, record.LastSeq, record.At)));
        Assert.Equal(before.Select(FactsOf), after.Select(FactsOf));
        Assert.All(after, record => Assert.Null(RecordEvents.Read(record)));
        Assert.Equal(0, await Journal.ExpireEventsAsync(Any, default));
    }

    [Fact]
    public async Task What_it_does_from_then_on_is_read_behind_what_is_gone()
    {
        var key = await OverAsync(2);
        await ExpireAllAsync(Any);

        var lease = (await Journal.OpenAsync(key, NewHost(), create: false, default))!;
        Assert.True(await AppendAsync(lease, 2, events: 1, payload: Payload(2, 1)));

        var head = (await Journal.FindHeadAsync(key, default))!;
        Assert.Equal((5L, 4L), (head.Seq, head.Floor));
        var read = Assert.Single(await CollectAsync(Journal.ReadEventsAsync(key, head.Floor, default)));
        Assert.Equal(5, RecordEvents.Read(read)!.FirstSeq);
    }

    [Fact]
    public async Task Whoever_had_looked_where_the_events_begin_before_they_went_is_told_so_and_not_what_came_after_them()
    {
        var key = await OverAsync(2);
        await ExpireAllAsync(Any);
        for (var after = 0; after < 4; after++) await GoneAsync(after);

        var lease = (await Journal.OpenAsync(key, NewHost(), create: false, default))!;
        Assert.True(await AppendAsync(lease, 2, events: 1, payload: Payload(2, 1)));

        for (var after = 0; after < 4; after++) await GoneAsync(after);
        Assert.Equal([5L], (await ToldAsync(4)).Select(batch => batch.LastSeq));

        async Task<List<EventBatch>> ToldAsync(long after) =>
            [.. (await CollectAsync(Journal.ReadEventsAsync(key, after, default))).Select(record => RecordEvents.ReadAfter(record, after)).OfType<EventBatch>()];

        async Task GoneAsync(long after)
        {
            var failure = await Assert.ThrowsAsync<PortException>(() => ToldAsync(after));
            Assert.Equal((PortFailureKind.Unavailable, "cursor_invalid", ProblemKind.Gone), (failure.Kind, failure.Told?.Code, failure.Told?.Kind));
        }
    }

    [Fact]
    public async Task A_session_that_is_open_or_waits_for_something_or_is_young_keeps_its_events()
    {
        var open = await OverAsync(1);
        var waiting = NewKey();
        var lease = await CreateAsync(waiting);
        Assert.True(await AppendAsync(lease, 0, events: 2, payload: Payload(0, 2), wakeAt: DateTimeOffset.UnixEpoch.AddYears(200)));
        await Journal.ReleaseAsync(lease, default);
        var young = await OverAsync(1);
        Assert.NotNull(await Journal.OpenAsync(open, NewHost(), create: false, default));

        await ExpireAllAsync(TimeSpan.FromHours(1));
        Assert.Equal(0, (await Journal.FindHeadAsync(young, default))!.Floor);
        await ExpireAllAsync(Any);

        foreach (var key in new[] { open, waiting })
        {
            Assert.Equal(0, (await Journal.FindHeadAsync(key, default))!.Floor);
            Assert.NotNull(RecordEvents.Read(Assert.Single(await ReadAllAsync(key))));
        }
    }

    [Fact]
    public async Task A_session_at_rest_that_a_host_had_open_when_it_died_is_done_like_one_that_was_given_back()
    {
        var (dead, living) = (await LivingHostAsync(), await LivingHostAsync());
        var (left, kept, waiting) = (await LeftOpenAsync(dead), await LeftOpenAsync(living), await LeftOpenAsync(dead, DateTimeOffset.UnixEpoch.AddYears(200)));
        await KillAsync(dead);
        await CreateAsync(NewKey());

        await ExpireAllAsync(Any);

        var head = (await Journal.FindHeadAsync(left.Key, default))!;
        Assert.Equal((null, 2L), (head.Host, head.Floor));
        Assert.False(await AppendAsync(left, 1, events: 1));
        Assert.Equal(PortFailureKind.Fenced, (await Assert.ThrowsAsync<PortException>(async () => await Journal.OpenAsync(left.Key, dead, create: false, default))).Kind);
        Assert.True(await AppendAsync(kept, 1, events: 1));
        Assert.True(await AppendAsync(waiting, 1, events: 1));
    }

    /// <summary>A host of the registry over the same store, that lives.</summary>
    protected abstract Task<HostId> LivingHostAsync();

    /// <summary>Its process is gone.</summary>
    protected abstract Task KillAsync(HostId host);

    /// <summary>A session of one record of two events that the host has open.</summary>
    private protected async Task<JournalLease> LeftOpenAsync(HostId host, DateTimeOffset? wakeAt = null)
    {
        var lease = (await Journal.OpenAsync(NewKey(), host, create: true, default))!;
        Assert.True(await AppendAsync(lease, 0, events: 2, payload: Payload(0, 2), wakeAt: wakeAt));
        return lease;
    }

    /// <summary>A session of <paramref name="records"/> records of two events each, and of what JSON may hold, which nobody has open any more.</summary>
    private protected Task<SessionKey> OverAsync(int records) => OverAsync(NewKey(), records);

    private protected async Task<SessionKey> OverAsync(SessionKey key, int records)
    {
        var lease = await CreateAsync(key);
        for (var version = 0; version < records; version++) Assert.True(await AppendAsync(lease, version, events: 2, payload: Payload(version, 2)));
        await Journal.ReleaseAsync(lease, default);
        return key;
    }

    private protected async Task ExpireAllAsync(TimeSpan age)
    {
        while (await Journal.ExpireEventsAsync(age, default) > 0)
        {
            // a part at a time
        }
    }

    private static string Payload(int version, int events) =>
        $$$"""{"facts":[{"text":"é \u0000 \"{{{version}}}\" 😀","number":1.50}],"events":[{{{string.Join(',', Enumerable.Repeat("""{"text":"]}"}""", events))}}}]}""";

    private static string FactsOf(JournalRecord record)
    {
        using var payload = JsonDocument.Parse(record.Payload);
        return payload.RootElement.GetProperty("facts").GetRawText();
    }
}
