using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Coordinator.Fakes;
using Coordinator.Modules.SessionAccess;
using Coordinator.Modules.SessionAccess.Bridge;
using Coordinator.Modules.SessionAccess.Following;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Modules.Tenancy;
using Coordinator.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace Coordinator.Tests.Modules.SessionAccess;

public sealed class EventArchivingTests : IAsyncLifetime
{
    private static readonly TimeSpan Age = TimeSpan.FromDays(30);
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(90);

    /// <summary>So much text that a few of them fill an archive.</summary>
    private static readonly string Long = new('x', 60 * 1024);

    private SessionServer server = null!;
    private SessionServer.Caller ada = null!;

    public async Task InitializeAsync()
    {
        server = await SessionServer.StartAsync();
        ada = await server.CallerAsync();
    }

    public async Task DisposeAsync() => await server.DisposeAsync();

    [Fact]
    public async Task What_was_archived_in_parts_reads_as_before_to_the_byte_over_every_way_and_goes_on()
    {
        var session = await SleptAsync(pieces: 90);
        string[] places = ["", "&after=1.1", "&after=1.40", "&after=1.88"];
        var pages = await PagesAsync(session, places);
        var streams = await StreamsAsync(session, places);
        var history = await HistoryAsync(session);
        Assert.NotNull(history);

        await ArchiveAsync();

        Assert.Equal(91, (await server.Journal.FindHeadAsync(Key(session), default))!.Archived);
        Assert.InRange(server.Artifacts.Count, 2, 4);
        Assert.Equal(pages, await PagesAsync(session, places));
        Assert.Equal(streams, await StreamsAsync(session, places));
        await FollowsAsync(session, "1.40", to: 91);
        Assert.Equal(history, await HistoryAsync(session));

        await RenameAsync(session, "awake");
        Assert.Equal([90L, 91, 92], (await ada.Http.GetAsync($"/v1/sessions/{session}/events?after=1.89").JsonAsync(200)).GetProperty("items").EnumerateArray().Select(envelope => envelope.GetProperty("seq").GetInt64()));
    }

    [Theory]
    [InlineData(PortFailureKind.Full)]
    [InlineData(PortFailureKind.Unavailable)]
    [InlineData(PortFailureKind.Unauthorized)]
    public async Task An_artifact_store_that_takes_nothing_leaves_every_event_where_it_is_until_it_does(PortFailureKind kind)
    {
        var session = await SleptAsync(pieces: 3);
        var before = await RecordsAsync(session);
        server.Artifacts.Faults.FailBefore(kind);

        await ArchiveAsync();

        Assert.Equal(before, await RecordsAsync(session));
        Assert.Equal((0L, 0), ((await server.Journal.FindHeadAsync(Key(session), default))!.Archived, server.Artifacts.Count));
        server.Artifacts.Faults.Clear();
        await ArchiveAsync();
        Assert.Equal((4L, 1), ((await server.Journal.FindHeadAsync(Key(session), default))!.Archived, server.Artifacts.Count));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_was_stored_and_not_noted_is_stored_again_and_goes_after_an_hour(bool isCorrupt)
    {
        var session = await SleptAsync(pieces: 3);
        var before = await RecordsAsync(session);
        if (isCorrupt) server.Artifacts.Faults.CorruptResponses();
        else server.Artifacts.Faults.LoseResponses();

        await ArchiveAsync();
        Assert.Equal((1, 0L), (server.Artifacts.Count, (await server.Journal.FindHeadAsync(Key(session), default))!.Archived));
        Assert.Equal(before, await RecordsAsync(session));

        await ArchiveAsync();
        Assert.Equal((2, 4L), (server.Artifacts.Count, (await server.Journal.FindHeadAsync(Key(session), default))!.Archived));

        using var clearing = new ArchiveClearing(server.Events, server.Artifacts, server.Time, NullLogger<ArchiveClearing>.Instance);
        await clearing.SweepAsync(TimeSpan.FromHours(1), default);
        Assert.Equal(2, server.Artifacts.Count);
        server.Time.Advance(TimeSpan.FromMinutes(61));
        await clearing.SweepAsync(TimeSpan.FromHours(1), default);
        Assert.Equal(1, server.Artifacts.Count);
        await ada.Http.GetAsync($"/v1/sessions/{session}/events").JsonAsync(200);
    }

    [Fact]
    public async Task A_session_that_is_opened_while_its_events_are_stored_keeps_them_and_what_was_stored_is_gone_at_once()
    {
        var session = await SleptAsync(pieces: 3);
        var before = await RecordsAsync(session);
        server.Artifacts.Faults.Slow(TimeSpan.FromSeconds(5), server.Time);

        var sweep = Archiving().SweepAsync(Age, default);
        Assert.NotNull(await server.Journal.OpenAsync(Key(session), HostId.New(server.Time), create: false, default));
        await Eventually.AdvanceAsync(server.Time, TimeSpan.FromSeconds(5), () => sweep.IsCompleted);
        await sweep;

        Assert.Equal(before, await RecordsAsync(session));
        Assert.Null(await server.Journal.FindArchiveAsync(Key(session), 0, default));
        Assert.Equal(0, server.Artifacts.Count);
        Assert.Empty(await server.Journal.GiveUpArchivesAsync(TimeSpan.Zero, null, 10, default));
    }

    [Fact]
    public async Task A_store_that_does_not_answer_is_given_up_and_a_session_that_cannot_be_read_keeps_no_other_from_being_done()
    {
        var broken = await SleptAsync(pieces: 1, text: null);
        var sound = await SleptAsync(pieces: 1);
        server.Artifacts.Faults.Slow(TimeSpan.FromDays(1), server.Time);
        var sweep = Archiving().SweepAsync(Age, default);
        await Eventually.AdvanceAsync(server.Time, TimeSpan.FromMinutes(1), () => sweep.IsCompleted);
        await sweep;
        Assert.Equal(0, (await server.Journal.FindHeadAsync(Key(sound), default))!.Archived);
        server.Artifacts.Faults.Clear();

        await ArchiveAsync();

        Assert.Equal((0L, 2L), ((await server.Journal.FindHeadAsync(Key(broken), default))!.Archived, (await server.Journal.FindHeadAsync(Key(sound), default))!.Archived));
    }

    [Fact]
    public async Task Archived_events_that_are_not_kept_any_more_are_gone_with_their_blobs_and_one_that_stays_keeps_no_other_from_going()
    {
        var session = await SleptAsync(pieces: 90);
        await ArchiveAsync();
        Assert.InRange(server.Artifacts.Count, 2, 4);
        var retention = new EventRetention(server.Events, server.Artifacts, Options.Create(new SessionAccessOptions()), server.Time, NullLogger<EventRetention>.Instance);
        server.Artifacts.Faults.FailBefore(calls: 1);

        await retention.SweepAsync(Age, default);

        await ada.Http.GetAsync($"/v1/sessions/{session}/events?after=1.3").RefusedAsync(410, "cursor_invalid");
        Assert.Equal(1, server.Artifacts.Count);
        await retention.SweepAsync(Age, default);
        Assert.Empty(await server.Journal.ListGoneArchivesAsync(null, 10, default));
        Assert.Equal(0, server.Artifacts.Count);
    }

    [Fact]
    public async Task An_archive_that_is_lost_is_told_as_stored_data_that_cannot_be_read_and_never_as_the_end()
    {
        var session = await SleptAsync(pieces: 3);
        await ArchiveAsync();
        var archive = (await server.Journal.FindArchiveAsync(Key(session), 0, default))!;
        await server.Artifacts.DeleteAsync(archive.Key.Organization, archive.Sha256, default);

        await ada.Http.GetAsync($"/v1/sessions/{session}/events").RefusedAsync(503, "stored_data_unreadable");
        using var socket = await server.FollowAsync(ada, session);
        await socket.SendAsync("""{"type":"subscribe","after":"1.1"}""");
        Assert.NotEqual(1000, (await socket.ClosedAsync()).Code);
    }

    [Fact]
    public async Task It_runs_by_itself()
    {
        var session = await SleptAsync(pieces: 1);
        using var sweep = Archiving();
        await sweep.StartAsync(default);

        await Eventually.AdvanceAsync(server.Time, TimeSpan.FromHours(1), () => server.Artifacts.Count > 0);
        await Eventually.HoldsAsync(async () => (await server.Journal.FindHeadAsync(Key(session), default))!.Archived > 0, "What was stored to be noted");

        await sweep.StopAsync(default);
    }

    private SessionKey Key(SessionId session) => new(ada.Organization, session);

    /// <summary>A session that was told so many long pieces, by a message of its own, and sleeps for longer than the age; null: of what is no JSON.</summary>
    private async Task<SessionId> SleptAsync(int pieces, string? text = "")
    {
        var session = await SessionServer.CreateAsync(ada);
        var lease = (await server.Journal.OpenAsync(Key(session), HostId.New(server.Time), create: false, default))!;
        var message = MessageId.New(server.Time);
        for (var i = 0; i < pieces; i++)
        {
            var seq = lease.Seq + i + 1;
            var type = i == 0 ? "message.started" : i == pieces - 1 ? "message.completed" : "agent.text";
            var said = $$$"""{"cursor":"1.{{{seq}}}","seq":{{{seq}}},"at":"2026-01-02T03:04:05.678Z","type":"{{{type}}}","messageId":"{{{message}}}","data":{"part":"p","offset":0,"text":"{{{Long}}}"}}""";
            var payload = text is null ? "no JSON" : $$"""{"facts":[],"events":[{{said}}]}""";
            Assert.True(await server.Journal.AppendAsync(lease, new(lease.Version + i, Encoding.UTF8.GetBytes(payload), 1, server.Time.GetUtcNow(), null, null), default));
        }

        await server.Journal.ReleaseAsync(lease, default);
        server.Time.Advance(Age + TimeSpan.FromMinutes(1));
        return session;
    }

    private Task ArchiveAsync() => Archiving().SweepAsync(Age, default);

    private EventArchiving Archiving() => new(server.Events, server.Artifacts, Options.Create(new SessionAccessOptions { ArchiveEventsAfter = Age }), server.Time, NullLogger<EventArchiving>.Instance);

    private async Task<List<(long, string)>> RecordsAsync(SessionId session) =>
        await server.Journal.ReadAsync(Key(session), 0, default).Select(record => (record.Version, Encoding.UTF8.GetString(record.Payload.Span))).ToListAsync();

    private async Task<List<string>> PagesAsync(SessionId session, string[] places)
    {
        var pages = new List<string>();
        foreach (var place in places) pages.Add(await ada.Http.GetStringAsync(new Uri($"/v1/sessions/{session}/events?limit=50{place}", UriKind.Relative)));
        return pages;
    }

    /// <summary>Everything that a stream tells from each place on, as its lines.</summary>
    private async Task<List<string>> StreamsAsync(SessionId session, string[] places)
    {
        var lines = new List<string>();
        foreach (var place in places)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/sessions/{session}/events?{place.TrimStart('&')}");
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
            using var response = await ada.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
            for (var line = string.Empty; line != "id: 1.91"; lines.Add(line)) line = (await reader.ReadLineAsync().WaitAsync(Bound))!;
        }

        return lines;
    }

    /// <summary>A socket that follows from a place on is told each event once, in order.</summary>
    private async Task FollowsAsync(SessionId session, string after, int to)
    {
        using var socket = await server.FollowAsync(ada, session);
        await socket.SendAsync($$"""{"type":"subscribe","after":"{{after}}"}""");
        for (var told = int.Parse(after[2..], CultureInfo.InvariantCulture); told < to;)
            foreach (var envelope in (await socket.NextAsync("events")).GetProperty("events").EnumerateArray()) Assert.Equal(++told, envelope.GetProperty("seq").GetInt64());
    }

    /// <summary>What an agent that is taken up is told.</summary>
    private async Task<string?> HistoryAsync(SessionId session) => await new ConversationHistory(server.Events).BeforeAsync(Key(session), MessageId.New(server.Time), default);

    private async Task RenameAsync(SessionId session, string title)
    {
        using var body = new StringContent(JsonSerializer.Serialize(new { title }), Encoding.UTF8, "application/json");
        using var response = await ada.Http.PatchAsync($"/v1/sessions/{session}", body);
        response.EnsureSuccessStatusCode();
    }
}
