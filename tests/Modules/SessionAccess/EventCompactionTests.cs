using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Coordinator.Fakes;
using Coordinator.Modules.SessionAccess;
using Coordinator.Modules.SessionAccess.Following;
using Coordinator.Ports;
using Coordinator.Ports.Record;
using Coordinator.Ports.Session;
using Coordinator.Tests.Modules.Journal;
using Coordinator.Tests.Modules.Tenancy;
using Coordinator.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace Coordinator.Tests.Modules.SessionAccess;

public sealed class EventCompactionTests
{
    private static readonly TimeSpan Age = TimeSpan.FromHours(1);
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(90);

    private readonly ManualTime time = new();
    private readonly InMemoryRunHistory runs = new();

    [Fact]
    public async Task A_session_that_slept_for_long_enough_is_merged_once_and_others_are_not()
    {
        var journal = new InMemorySessionJournal(time);
        var talk = new MadeUpTalk(7, 60);
        var old = await WriteAsync(journal, talk);
        time.Advance(Age + TimeSpan.FromMinutes(1));
        var young = await WriteAsync(journal, new MadeUpTalk(8, 60));
        var sweep = Sweep(journal);

        await sweep.SweepAsync(Age, default);

        Assert.Equal(EventMerge.Of(talk.Envelopes).Select(MadeUpTalk.Text), await EventsAsync(journal, old));
        var head = (await journal.FindHeadAsync(old, default))!;
        Assert.Equal((head.Version, 0L), (head.Compacted, head.Floor));
        Assert.Equal(0, (await journal.FindHeadAsync(young, default))!.Compacted);
        Assert.Empty(await journal.ListUncompactedAsync(Age, default, 10, default));
    }

    [Fact]
    public async Task Two_replicas_fire_one_cron__a_job_that_runs_on_both_at_once_leaves_what_it_leaves_when_it_runs_on_one()
    {
        var journal = new InMemorySessionJournal(time);
        var talks = Enumerable.Range(7, 20).Select(seed => new MadeUpTalk(seed, 60)).ToList();
        var keys = new List<SessionKey>();
        foreach (var talk in talks) keys.Add(await WriteAsync(journal, talk));
        time.Advance(Age * 2);

        using var start = new Barrier(2);
        await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(async () =>
        {
            using var sweep = Sweep(journal);
            start.SignalAndWait(Bound);
            await sweep.SweepAsync(Age, default);
        })));

        foreach (var (talk, key) in talks.Zip(keys)) Assert.Equal(EventMerge.Of(talk.Envelopes).Select(MadeUpTalk.Text), await EventsAsync(journal, key));
        Assert.Empty(await journal.ListUncompactedAsync(Age, default, 10, default));
    }

    [Fact]
    public async Task A_run_that_an_earlier_release_digested_keeps_its_events_as_they_were_written()
    {
        var journal = new InMemorySessionJournal(time);
        var talk = new MadeUpTalk(9, 60);
        var key = await WriteAsync(journal, talk);
        await runs.FlushAsync(Run(key, 1) with { FirstSeq = 11, LastSeq = 40, EventsDigest = new('d', 64) }, default);
        await runs.FlushAsync(Run(key, 2) with { FirstSeq = 41, LastSeq = 60, EventsDigest = $"{RunRecord.MergedDigest}{new('d', 64)}" }, default);
        time.Advance(Age * 2);

        await Sweep(journal).SweepAsync(Age, default);

        var events = (await EventsAsync(journal, key)).ToList();
        Assert.Superset(talk.Envelopes.Skip(10).Take(30).Select(MadeUpTalk.Text).ToHashSet(), events.ToHashSet());
        Assert.InRange(events.Count, 32, 59);
    }

    [Fact]
    public async Task A_session_that_cannot_be_read_keeps_no_other_from_being_merged()
    {
        var journal = new InMemorySessionJournal(time);
        var broken = await WriteAsync(journal, (JournalRecord[])[new(1, 1, 1, 1, RecordEvents.JsonCodec, "no JSON"u8.ToArray(), default)]);
        var sound = await WriteAsync(journal, new MadeUpTalk(7, 20));
        time.Advance(Age * 2);

        await Sweep(journal).SweepAsync(Age, default);

        Assert.Equal(0, (await journal.FindHeadAsync(broken, default))!.Compacted);
        Assert.NotEqual(0, (await journal.FindHeadAsync(sound, default))!.Compacted);
    }

    [Fact]
    public async Task A_journal_that_is_down_is_tried_again_by_the_next_sweep()
    {
        var journal = new InMemorySessionJournal(time);
        var key = await WriteAsync(journal, new MadeUpTalk(7, 20));
        time.Advance(Age * 2);
        journal.Faults.FailBefore(calls: 1);

        await Sweep(journal).SweepAsync(Age, default);
        Assert.Equal(0, (await journal.FindHeadAsync(key, default))!.Compacted);
        await Sweep(journal).SweepAsync(Age, default);
        Assert.NotEqual(0, (await journal.FindHeadAsync(key, default))!.Compacted);
    }

    [Fact]
    public async Task A_session_at_which_a_store_fails_keeps_no_other_from_being_merged_until_as_many_fail_as_are_not_these_sessions_trouble()
    {
        var journal = new InMemorySessionJournal(time);
        var keys = new List<SessionKey>();
        for (var i = 0; i < 6; i++) keys.Add(await WriteAsync(journal, new MadeUpTalk(7, 20)));
        time.Advance(Age * 2);

        runs.Faults.FailBefore(calls: 5);
        await Sweep(journal).SweepAsync(Age, default);
        Assert.All(await CompactedAsync(), done => Assert.False(done));

        runs.Faults.FailBefore(calls: 4);
        await Sweep(journal).SweepAsync(Age, default);
        Assert.Equal([false, false, false, false, true, true], await CompactedAsync());

        async Task<List<bool>> CompactedAsync()
        {
            var done = new List<bool>();
            foreach (var key in keys) done.Add((await journal.FindHeadAsync(key, default))!.Compacted > 0);
            return done;
        }
    }

    [Fact]
    public async Task It_runs_by_itself_once_the_host_has_been_up_for_as_long()
    {
        var journal = new InMemorySessionJournal(time);
        var key = await WriteAsync(journal, new MadeUpTalk(7, 20));
        using var sweep = Sweep(journal);
        await sweep.StartAsync(default);

        var merged = MergedAsync(journal, key);
        await Eventually.AdvanceAsync(time, EventCompaction.Interval, () => merged.IsCompleted);
        await merged;

        await sweep.StopAsync(default);
    }

    [Fact]
    public async Task Whoever_follows_reads_the_merged_text_from_the_beginning_and_from_within_over_every_way()
    {
        await using var server = await SessionServer.StartAsync();
        var ada = await server.CallerAsync();
        var session = await SessionServer.CreateAsync(ada);
        var key = new SessionKey(ada.Organization, session);
        var lease = (await server.Journal.OpenAsync(key, HostId.New(server.Time), create: false, default))!;
        var pieces = Enumerable.Range(2, 5).Select(seq => $$$"""{"cursor":"1.{{{seq}}}","seq":{{{seq}}},"at":"2026-01-02T03:04:05.678Z","type":"agent.text","messageId":"msg_1","data":{"part":"p","offset":{{{(seq - 2) * 3}}},"text":"abc"}}""");
        var version = lease.Version;
        foreach (var piece in pieces)
            Assert.True(await server.Journal.AppendAsync(lease, new(version++, Encoding.UTF8.GetBytes($$"""{"facts":[],"events":[{{piece}}]}"""), 1, server.Time.GetUtcNow(), null, null), default));
        await server.Journal.ReleaseAsync(lease, default);
        server.Time.Advance(Age * 2);

        await Sweep(server.Journal).SweepAsync(Age, default);

        foreach (var after in new[] { "1.1", "1.2", "1.4", "1.5" })
        {
            var page = await ada.Http.GetAsync($"/v1/sessions/{session}/events?after={after}").JsonAsync(200);
            AssertWhole(Assert.Single(page.GetProperty("items").EnumerateArray()));
            Assert.Equal(("1.6", JsonValueKind.Null), (page.GetProperty("cursor").GetString(), page.GetProperty("nextCursor").ValueKind));
            AssertWhole(await FirstOfStreamAsync(ada, session, after));
            using var socket = await server.FollowAsync(ada, session);
            await socket.SendAsync($$"""{"type":"subscribe","after":"{{after}}"}""");
            AssertWhole(Assert.Single((await socket.NextAsync("events")).GetProperty("events").EnumerateArray()));
        }

        var first = await ada.Http.GetAsync($"/v1/sessions/{session}/events?limit=1").JsonAsync(200);
        Assert.Equal(("1.1", "1.1"), (first.GetProperty("cursor").GetString(), first.GetProperty("nextCursor").GetString()));
        using (var response = await ada.Http.PatchAsync($"/v1/sessions/{session}", JsonBody(new { title = "awake" }))) response.EnsureSuccessStatusCode();
        var renamed = Assert.Single((await ada.Http.GetAsync($"/v1/sessions/{session}/events?after=1.6").JsonAsync(200)).GetProperty("items").EnumerateArray());
        Assert.Equal((7, "session.renamed"), (renamed.GetProperty("seq").GetInt64(), renamed.GetProperty("type").GetString()));
    }

    private static void AssertWhole(JsonElement envelope)
    {
        Assert.Equal((2, 6), (envelope.GetProperty("from").GetInt64(), envelope.GetProperty("seq").GetInt64()));
        Assert.Equal((0, "abcabcabcabcabc"), (envelope.GetProperty("data").GetProperty("offset").GetInt64(), envelope.GetProperty("data").GetProperty("text").GetString()));
    }

    private static StringContent JsonBody(object body) => new(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json");

    private static async Task<JsonElement> FirstOfStreamAsync(SessionServer.Caller ada, SessionId session, string after)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/sessions/{session}/events?after={after}");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        using var response = await ada.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        for (var id = string.Empty; ;)
        {
            var line = await reader.ReadLineAsync().WaitAsync(Bound);
            Assert.NotNull(line);
            if (line.StartsWith("id: ", StringComparison.Ordinal)) id = line[4..];
            if (!line.StartsWith("data: ", StringComparison.Ordinal)) continue;
            Assert.Equal("1.6", id);
            return JsonDocument.Parse(line[6..]).RootElement;
        }
    }

    private EventCompaction Sweep(ISessionJournal journal) => new(journal, runs, Options.Create(new SessionAccessOptions { CompactAfter = Age }), time, NullLogger<EventCompaction>.Instance);

    /// <summary>Looks every five minutes of virtual time.</summary>
    private async Task MergedAsync(InMemorySessionJournal journal, SessionKey key)
    {
        while ((await journal.FindHeadAsync(key, default))!.Compacted == 0) await Task.Delay(EventCompaction.Interval / 2, time);
    }

    private static RunRecord Run(SessionKey key, int ordinal) => Runs.Runs.Finished(key.Organization, key.Session, ordinal);

    private Task<SessionKey> WriteAsync(InMemorySessionJournal journal, MadeUpTalk talk) => WriteAsync(journal, talk.Records());

    private async Task<SessionKey> WriteAsync(InMemorySessionJournal journal, IReadOnlyList<JournalRecord> records)
    {
        var key = new SessionKey(OrganizationId.New(time), SessionId.New(time));
        var lease = (await journal.OpenAsync(key, HostId.New(time), create: true, default))!;
        foreach (var record in records)
            Assert.True(await journal.AppendAsync(lease, new(record.Version - 1, record.Payload, (int)(record.LastSeq - record.FirstSeq + 1), time.GetUtcNow(), null, null), default));
        await journal.ReleaseAsync(lease, default);
        return key;
    }

    private static async Task<IEnumerable<string>> EventsAsync(InMemorySessionJournal journal, SessionKey key)
    {
        var events = new List<string>();
        await foreach (var record in journal.ReadEventsAsync(key, 0, default))
            if (RecordEvents.Read(record) is { } batch) events.AddRange(batch.Events.Select(slice => MadeUpTalk.Text(batch.Utf8.Slice(slice.Offset, slice.Length))));
        return events;
    }
}
