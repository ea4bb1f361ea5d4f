using System.Net;
using System.Net.WebSockets;
using System.Text.Json;
using Coordinator.Modules.SessionAccess.Clients;
using Coordinator.Ports;
using Coordinator.Tests.Modules.Tenancy;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Modules.SessionAccess;

public sealed class ClientSocketTests : IAsyncLifetime
{
    private SessionServer server = null!;
    private SessionServer.Caller ada = null!;
    private SessionId session;

    public async Task InitializeAsync()
    {
        server = await SessionServer.StartAsync();
        ada = await server.CallerAsync();
        session = await SessionServer.CreateAsync(ada);
    }

    public async Task DisposeAsync() => await server.DisposeAsync();

    [Fact]
    public async Task A_client_gets_the_view_then_what_follows_it_and_the_views_it_changes()
    {
        using var socket = await server.FollowAsync(ada, session);
        await socket.SendAsync("""{"type":"subscribe"}""");

        var ready = await socket.NextAsync();
        Assert.Equal(("ready", 1, "1.1"), (Text(ready, "type"), ready.GetProperty("protocol").GetInt32(), Text(ready, "cursor")));
        Assert.Equal(session.ToString(), Text(ready.GetProperty("session"), "id"));

        await socket.SendAsync("""{"type":"prompt","clientId":"c1","text":"hello"}""");
        var events = await socket.NextAsync("events");
        Assert.Equal(["message.queued", "sandbox.requested"], events.GetProperty("events").EnumerateArray().Take(2).Select(envelope => Text(envelope, "type")));
        var view = await socket.NextAsync("view");
        Assert.Equal("hello", Text(Assert.Single(view.GetProperty("session").GetProperty("messages").EnumerateArray()), "text"));
    }

    [Fact]
    public async Task The_clients_id_is_the_idempotency_key_over_either_way()
    {
        using var socket = await ReadyAsync();
        await socket.SendAsync("""{"type":"prompt","clientId":"c1","text":"hello"}""");
        var accepted = await socket.NextAsync("accepted");
        await socket.SendAsync("""{"type":"prompt","clientId":"c1","text":"hello"}""");
        var again = await socket.NextAsync("accepted");
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/sessions/{session}/messages") { Content = System.Net.Http.Json.JsonContent.Create(new { text = "hello" }) };
        request.Headers.Add("Idempotency-Key", "c1");
        var overHttp = await ada.Http.SendAsync(request).JsonAsync(202);
        await socket.SendAsync("""{"type":"prompt","clientId":"c1","text":"other"}""");
        var refused = await socket.NextAsync("refused");

        Assert.Equal(("c1", 0), (Text(accepted, "clientId"), accepted.GetProperty("position").GetInt32()));
        Assert.Equal(Text(accepted, "messageId"), Text(again, "messageId"));
        Assert.Equal(Text(accepted, "messageId"), Text(overHttp, "messageId"));
        Assert.Equal(("prompt", "c1", "idempotency_key_reused"), (Text(refused, "for"), Text(refused, "clientId"), Text(refused, "code")));
    }

    [Fact]
    public async Task Commands_are_answered_done_or_refused()
    {
        using var socket = await ReadyAsync();
        await socket.SendAsync("""{"type":"prompt","clientId":"c1","text":"one"}""");
        var message = Text(await socket.NextAsync("accepted"), "messageId");

        await socket.SendAsync($$"""{"type":"edit","messageId":"{{message}}","text":"eins"}""");
        Assert.Equal(("edit", message), For(await socket.NextAsync("done")));
        await socket.SendAsync($$"""{"type":"move","messageId":"{{message}}","before":null}""");
        Assert.Equal(("move", message), For(await socket.NextAsync("done")));
        await socket.SendAsync($$"""{"type":"cancel","messageId":"{{message}}"}""");
        Assert.Equal(("cancel", message), For(await socket.NextAsync("done")));
        await socket.SendAsync("""{"type":"cancel"}""");
        Assert.Equal("nothing_running", Text(await socket.NextAsync("refused"), "code"));
        await socket.SendAsync($$"""{"type":"permission","permissionId":"{{PermissionId.New(TimeProvider.System)}}","decision":"once"}""");
        Assert.Equal("permission_not_found", Text(await socket.NextAsync("refused"), "code"));
        await socket.SendAsync("""{"type":"prompt","clientId":"c2","text":" "}""");
        Assert.Equal("prompt_empty", Text(await socket.NextAsync("refused"), "code"));
        await socket.SendAsync("""{"type":"later"}""");
        Assert.Equal("type_unknown", Text(await socket.NextAsync("refused"), "code"));
        await socket.SendAsync("""{"type":"ping","id":"7"}""");
        Assert.Equal("7", Text(await socket.NextAsync("pong"), "id"));
    }

    [Fact]
    public async Task A_text_that_is_no_Unicode_is_refused_and_closes_no_socket()
    {
        using var socket = await ReadyAsync();

        await socket.SendAsync("""{"type":"prompt","text":"half \ud83d","clientId":"c1"}""");
        var prompt = await socket.NextAsync("refused");
        await socket.SendAsync($$"""{"type":"edit","messageId":"{{MessageId.New(TimeProvider.System)}}","text":"\ude00"}""");
        var edit = await socket.NextAsync("refused");
        await socket.SendAsync("""{"type":"prompt","clientId":"c1","text":"whole \ud83d\ude00"}""");

        Assert.Equal(("prompt", "c1", "prompt_malformed"), (Text(prompt, "for"), Text(prompt, "clientId"), Text(prompt, "code")));
        Assert.Equal(("edit", "prompt_malformed"), (Text(edit, "for"), Text(edit, "code")));
        Assert.Equal("c1", Text(await socket.NextAsync("accepted"), "clientId"));
    }

    [Fact]
    public async Task Reconnect_reloads_the_last_events_gaps_before_duplicates_after__a_client_resumes_exactly()
    {
        for (var i = 0; i < 3; i++) await ada.Http.PatchAsync($"/v1/sessions/{session}", System.Net.Http.Json.JsonContent.Create(new { title = $"t{i}" })).JsonAsync(200);
        using var socket = await server.FollowAsync(ada, session);

        await socket.SendAsync("""{"type":"subscribe","after":"1.2"}""");

        await socket.NextAsync("ready");
        var seqs = new List<long>();
        while (seqs.Count < 2) seqs.AddRange((await socket.NextAsync("events")).GetProperty("events").EnumerateArray().Select(envelope => envelope.GetProperty("seq").GetInt64()));
        Assert.Equal([3L, 4L], seqs);
    }

    [Theory]
    [InlineData("junk", 4400)]
    [InlineData("{\"type\":\"ping\"}", 4400)]
    [InlineData("{\"type\":\"subscribe\",\"after\":\"1.99\"}", 4410)]
    [InlineData("{\"type\":\"subscribe\",\"after\":\"9.1\"}", 4410)]
    [InlineData("{\"type\":\"subscribe\",\"after\":7}", 4400)]
    public async Task A_first_frame_that_is_wrong_closes_the_socket(string frame, int code)
    {
        using var socket = await server.FollowAsync(ada, session);

        await socket.SendAsync(frame);

        var close = await socket.ClosedAsync();
        Assert.Equal(code, close.Code);
        Assert.NotEmpty(close.Reason);
    }

    [Fact]
    public async Task Garbage_binary_and_oversized_frames_close_the_socket_with_a_reason()
    {
        using var garbage = await ReadyAsync();
        await garbage.SendAsync("{\"type\":\"prompt\"");
        Assert.Equal((4400, "A frame is one JSON object; this is not JSON."), await garbage.ClosedAsync());

        using var binary = await ReadyAsync();
        await binary.SendAsync([0, 1, 2, 0xFF], WebSocketMessageType.Binary);
        Assert.Equal((4400, "Frames are text."), await binary.ClosedAsync());

        using var large = await ReadyAsync();
        await large.SendAsync(new byte[(256 * 1024) + 1].Select(_ => (byte)' ').ToArray(), WebSocketMessageType.Text);
        Assert.Equal((4400, "A frame is at most 256 KiB."), await large.ClosedAsync());

        using var twice = await ReadyAsync();
        await twice.SendAsync("""{"type":"subscribe"}""");
        Assert.Equal(4400, (await twice.ClosedAsync()).Code);
    }

    [Fact]
    public async Task A_client_that_says_nothing_is_closed_after_10_seconds()
    {
        using var socket = await server.FollowAsync(ada, session);

        var closed = socket.ClosedAsync();
        await Eventually.AdvanceAsync(server.Time, ClientConnection.SubscribeTimeout, () => closed.IsCompleted);

        Assert.Equal(4400, (await closed).Code);
    }

    [Fact]
    public async Task Authorization_checked_at_connect_only_revoked_people_keep_streaming__a_socket_is_closed_within_a_minute()
    {
        using var socket = await ReadyAsync();
        await server.Directory.RevokeCredentialAsync(ada.Key, server.Time.GetUtcNow(), default);

        var closed = socket.ClosedAsync();
        await Eventually.AdvanceAsync(server.Time, ClientConnection.RecheckInterval, () => closed.IsCompleted);

        Assert.Equal(4401, (await closed).Code);
    }

    [Fact]
    public async Task Who_left_the_organization_is_closed_out_within_a_minute()
    {
        using var socket = await ReadyAsync();
        server.Directory.SetRole(ada.Organization, ada.User, null);

        var closed = socket.ClosedAsync();
        await Eventually.AdvanceAsync(server.Time, ClientConnection.RecheckInterval, () => closed.IsCompleted);

        Assert.Equal(4401, (await closed).Code);
    }

    [Fact]
    public async Task A_host_that_drains_asks_its_clients_to_reconnect()
    {
        using var socket = await ReadyAsync();

        await server.Sessions.DrainAsync(default);

        Assert.InRange((await socket.NextAsync("restarting")).GetProperty("returnAfterMs").GetInt32(), 0, 400);
        Assert.Equal(1012, (await socket.ClosedAsync()).Code);
    }

    [Fact]
    public async Task Without_the_subprotocol_there_is_no_socket()
    {
        await ada.Http.GetAsync($"/v1/sessions/{session}/ws").RefusedAsync(400, "websocket_required");
        var refused = await Assert.ThrowsAsync<WebSocketException>(() => server.ConnectAsync($"/v1/sessions/{session}/ws", "other", ada.Secret));
        Assert.Contains("400", refused.Message, StringComparison.Ordinal);
    }

    private async Task<SocketClient> ReadyAsync()
    {
        var socket = await server.FollowAsync(ada, session);
        await socket.SendAsync("""{"type":"subscribe"}""");
        await socket.NextAsync("ready");
        return socket;
    }

    private static (string For, string Id) For(JsonElement frame) => (Text(frame, "for"), Text(frame, "id"));

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;
}
