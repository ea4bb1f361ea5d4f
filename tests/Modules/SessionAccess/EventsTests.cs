using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Coordinator.Modules.SessionAccess.Following;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Modules.Tenancy;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Modules.SessionAccess;

public sealed class EventsTests : IAsyncLifetime
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    private SessionServer server = null!;
    private SessionServer.Caller ada = null!;
    private SessionId session;

    public async Task InitializeAsync()
    {
        server = await SessionServer.StartAsync();
        ada = await server.CallerAsync();
        session = await SessionServer.CreateAsync(ada);
        for (var i = 2; i <= 5; i++) await RenameAsync($"title {i}");
    }

    public async Task DisposeAsync() => await server.DisposeAsync();

    [Fact]
    public async Task Pages_follow_each_other_without_gap_or_duplicate()
    {
        var seqs = new List<long>();
        var after = string.Empty;
        JsonElement page;
        do
        {
            page = await ada.Http.GetAsync($"/v1/sessions/{session}/events?limit=2{after}").JsonAsync(200);
            seqs.AddRange(page.GetProperty("items").EnumerateArray().Select(envelope => envelope.GetProperty("seq").GetInt64()));
            after = $"&after={page.GetProperty("cursor").GetString()}";
        }
        while (page.GetProperty("nextCursor").ValueKind != JsonValueKind.Null);

        Assert.Equal([1L, 2, 3, 4, 5], seqs);
        var end = await ada.Http.GetAsync($"/v1/sessions/{session}/events?after=1.5").JsonAsync(200);
        Assert.Empty(end.GetProperty("items").EnumerateArray());
        Assert.Equal(("1.5", JsonValueKind.Null), (end.GetProperty("cursor").GetString(), end.GetProperty("nextCursor").ValueKind));
    }

    [Theory]
    [InlineData("after=junk", 400, "cursor_malformed")]
    [InlineData("after=1.6", 410, "cursor_invalid")]
    [InlineData("after=2.1", 410, "cursor_invalid")]
    [InlineData("limit=0", 400, "limit_invalid")]
    [InlineData("limit=1001", 400, "limit_invalid")]
    public async Task The_wake_up_is_lost_a_cursor_ahead_of_the_head_silently_skips_events__such_a_cursor_is_refused(string query, int status, string code)
    {
        await ada.Http.GetAsync($"/v1/sessions/{session}/events?{query}").RefusedAsync(status, code);
        if (status == 410) await StreamAsync(query).RefusedAsync(status, code);
    }

    [Fact]
    public async Task Events_that_are_not_kept_any_more_are_gone_and_who_names_no_cursor_begins_behind_them()
    {
        var key = new SessionKey(ada.Organization, session);
        var lease = (await server.Journal.OpenAsync(key, HostId.New(server.Time), create: false, default))!;
        Assert.True(await server.Journal.AppendAsync(lease, new(lease.Version, "{\"facts\":[],\"events\":[]}"u8.ToArray(), 0, server.Time.GetUtcNow(), null, null), default));
        await server.Journal.ReleaseAsync(lease, default);
        server.Time.Advance(TimeSpan.FromDays(31));

        Assert.Equal(1, await server.Journal.ExpireEventsAsync(TimeSpan.FromDays(30), default));

        await StreamAsync("after=1.2").RefusedAsync(410, "cursor_invalid");
        await ada.Http.GetAsync($"/v1/sessions/{session}/events?after=1.4").RefusedAsync(410, "cursor_invalid");
        var page = await ada.Http.GetAsync($"/v1/sessions/{session}/events").JsonAsync(200);
        Assert.Equal((0, "1.5"), (page.GetProperty("items").GetArrayLength(), page.GetProperty("cursor").GetString()));
        (await StreamAsync("")).EnsureSuccessStatusCode().Dispose();
        (await StreamAsync("after=1.5")).EnsureSuccessStatusCode().Dispose();
    }

    [Fact]
    public async Task A_browser_that_comes_back_to_the_address_it_began_with_goes_on_after_the_last_event_it_got()
    {
        using var response = await StreamAsync("after=1.2", lastEventId: "1.4");
        using var reader = new StreamReader(await response.EnsureSuccessStatusCode().Content.ReadAsStreamAsync());

        Assert.Equal((5, "1.5"), await NextAsync(reader));
    }

    [Theory]
    [InlineData("after=junk", "1.4")]
    [InlineData("after=1.2", "junk")]
    public async Task Neither_of_two_cursors_may_be_none(string query, string lastEventId) =>
        await StreamAsync(query, lastEventId: lastEventId).RefusedAsync(400, "cursor_malformed");

    [Fact]
    public async Task A_stream_resumes_after_the_last_event_id_and_goes_on_live()
    {
        using var response = await StreamAsync("", lastEventId: "1.3");
        Assert.Equal(("text/event-stream", "no-store", "no"), (response.Content.Headers.ContentType!.MediaType, response.Headers.CacheControl!.ToString(), response.Headers.GetValues("X-Accel-Buffering").Single()));
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());

        Assert.Equal((4, "1.4"), await NextAsync(reader));
        Assert.Equal((5, "1.5"), await NextAsync(reader));
        await RenameAsync("live");
        Assert.Equal((6, "1.6"), await NextAsync(reader));
    }

    [Fact]
    public async Task A_quiet_stream_is_pinged_every_5_seconds()
    {
        using var response = await StreamAsync("after=1.5");
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.Equal(": following", await reader.ReadLineAsync().WaitAsync(Bound));
        Assert.Equal("", await reader.ReadLineAsync().WaitAsync(Bound));

        var line = reader.ReadLineAsync();
        await Eventually.AdvanceAsync(server.Time, EventStreams.PingInterval, () => line.IsCompleted);

        Assert.Equal(": ping", await line.WaitAsync(Bound));
    }

    [Fact]
    public async Task A_stream_is_pinged_while_nobody_knows_whether_its_reader_is_still_allowed()
    {
        using var response = await StreamAsync("after=1.5");
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        server.Authenticator.Faults.Slow(TimeSpan.FromHours(1), server.Time);

        for (var passed = TimeSpan.Zero; passed < EventStreams.RecheckInterval + (3 * EventStreams.PingInterval); passed += EventStreams.PingInterval)
        {
            var ping = PingAsync(reader);
            await Eventually.AdvanceAsync(server.Time, EventStreams.PingInterval, () => ping.IsCompleted);
            await ping;
        }
    }

    [Fact]
    public async Task Authorization_checked_at_connect_only_revoked_people_keep_streaming__a_stream_ends_within_a_minute()
    {
        using var response = await StreamAsync("after=1.5");
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        await server.Directory.RevokeCredentialAsync(ada.Key, server.Time.GetUtcNow(), default);

        var rest = reader.ReadToEndAsync();
        await Eventually.AdvanceAsync(server.Time, EventStreams.RecheckInterval / 2, () => rest.IsCompleted);

        Assert.DoesNotContain("data:", await rest.WaitAsync(Bound), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_left_for_another_organization_is_not_sent_the_events_of_the_first_for_longer_than_a_minute()
    {
        var browser = await server.Authenticator.IssueBrowserSessionAsync(ada.User, TimeSpan.FromDays(1), default);
        ada.Http.DefaultRequestHeaders.Authorization = null;
        ada.Http.DefaultRequestHeaders.Add("Cookie", $"coordinator_session={browser.Secret}");
        using var response = await StreamAsync("after=1.5");
        response.EnsureSuccessStatusCode();
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        server.Directory.SetRole(ada.Organization, ada.User, null);
        server.Directory.SetRole(server.Directory.AddOrganization("Other"), ada.User, Role.Owner);

        var rest = reader.ReadToEndAsync();
        await Eventually.AdvanceAsync(server.Time, EventStreams.RecheckInterval / 2, () => rest.IsCompleted);

        Assert.DoesNotContain("data:", await rest.WaitAsync(Bound), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_that_drains_ends_its_streams()
    {
        using var response = await StreamAsync("after=1.5");
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());

        await server.Sessions.DrainAsync(default);

        Assert.Matches("\nretry: [5-9][0-9]{2}\n\n$", await reader.ReadToEndAsync().WaitAsync(Bound));
    }

    private async Task RenameAsync(string title) => await ada.Http.PatchAsync($"/v1/sessions/{session}", JsonContent.Create(new { title })).JsonAsync(200);

    private async Task<HttpResponseMessage> StreamAsync(string query, string? lastEventId = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/sessions/{session}/events?{query}");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        if (lastEventId is not null) request.Headers.Add("Last-Event-ID", lastEventId);
        return await ada.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    private static async Task PingAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync().WaitAsync(Bound) is { } line)
            if (line == ": ping") return;
        Assert.Fail("The stream has ended.");
    }

    private static async Task<(long Seq, string Id)> NextAsync(StreamReader reader)
    {
        string? id = null;
        while (true)
        {
            var line = await reader.ReadLineAsync().WaitAsync(Bound);
            Assert.NotNull(line);
            if (line.StartsWith("id: ", StringComparison.Ordinal)) id = line[4..];
            if (line.StartsWith("data: ", StringComparison.Ordinal)) return (JsonDocument.Parse(line[6..]).RootElement.GetProperty("seq").GetInt64(), id!);
        }
    }
}
