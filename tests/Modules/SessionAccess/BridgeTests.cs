using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Coordinator.Modules.SessionAccess.Bridge;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Modules.Tenancy;
using Coordinator.Tests.Support.Http;
using Coordinator.Tests.Support;
using Xunit;

namespace Coordinator.Tests.Modules.SessionAccess;

public sealed class BridgeTests : IAsyncLifetime
{
    private const string Spool = "0123456789abcdef";

    private SessionServer server = null!;
    private SessionServer.Caller ada = null!;
    private SessionKey key;
    private SandboxId box;
    private string token = null!;

    public async Task InitializeAsync()
    {
        server = await SessionServer.StartAsync();
        ada = await server.CallerAsync();
        key = new(ada.Organization, await SessionServer.CreateAsync(ada, "hello"));
        var view = await ada.Http.GetAsync($"/v1/sessions/{key.Session}").JsonAsync(200);
        Assert.True(SandboxId.TryParse(view.GetProperty("sandbox").GetProperty("id").GetString(), out box));
        token = new SessionServer.BoxTokens().TokenFor(key, box, 1);
    }

    public async Task DisposeAsync() => await server.DisposeAsync();

    [Fact]
    public async Task A_box_is_welcomed_told_its_configuration_and_given_the_prompt_once_it_is_ready()
    {
        using var socket = await HelloAsync();
        var welcome = await socket.NextAsync();
        Assert.Equal(("welcome", Spool, 0L), (Text(welcome, "type"), Text(welcome, "spoolId"), welcome.GetProperty("ackedN").GetInt64()));
        Assert.Equal("""{"repository":null,"agent":"opencode","model":{"provider":"demo","model":"scripted","wire":"openAiChat","contextTokens":1000,"outputTokens":100},"permissions":"auto","install":true,"limits":{"repositoryBytes":2147483648,"cloneSeconds":120,"installSeconds":300,"agentStartSeconds":60}}""", welcome.GetProperty("config").GetRawText());

        await socket.SendAsync("""{"type":"event","n":1,"kind":"boot.ready","data":{"agent":{"name":"opencode","version":"1"},"resumed":false,"elapsedMs":5}}""");

        var prompt = await socket.NextAsync("request");
        Assert.Equal(("prompt", "hello"), (Text(prompt, "method"), Text(prompt.GetProperty("params"), "text")));
        Assert.Equal("scripted", Text(prompt.GetProperty("params").GetProperty("model"), "model"));
    }

    [Fact]
    public async Task Where_a_prompt_s_model_is_is_looked_up_once_while_the_prompt_is_made_durable_and_anew_for_the_next_one()
    {
        using var socket = await ReadyAsync();
        await EndTurnAsync(socket, await socket.NextAsync("request"), 2);

        var prompt = await PromptSlowlyAsync();
        await prompt;
        var request = await socket.NextAsync("request");
        Assert.Equal(1_000, ContextTokens(request));
        await EndTurnAsync(socket, request, 4);

        server.Models.ContextTokens = 2_000;
        await PromptAsync();
        Assert.Equal(2_000, ContextTokens(await socket.NextAsync("request")));
    }

    [Fact]
    public async Task A_look_ahead_that_fails_is_made_again_when_the_prompt_is_sent()
    {
        using var socket = await ReadyAsync();
        await EndTurnAsync(socket, await socket.NextAsync("request"), 2);

        server.Models.Failure = new(PortFailureKind.Unavailable, "The test says so.");
        var before = server.Models.Lookups;
        await await PromptSlowlyAsync();

        Assert.Equal(1_000, ContextTokens(await socket.NextAsync("request")));
        Assert.Equal(before + 2, server.Models.Lookups);
    }

    [Fact]
    public async Task A_stop_of_the_running_message_that_comes_again_does_not_stop_the_next_though_its_first_answer_was_lost()
    {
        using var socket = await ReadyAsync();
        var first = Text((await socket.NextAsync("request")).GetProperty("params"), "messageId");
        await PromptAsync();
        await StopAsync("k").JsonAsync(202);
        Assert.Equal("cancel", Text(await socket.NextAsync("request"), "method"));
        await socket.SendAsync($$$"""{"type":"event","n":2,"messageId":"{{{first}}}","kind":"message.ended","data":{"outcome":"cancelled"}}""");
        var second = await socket.NextAsync("request");
        Assert.Equal(("prompt", "next"), (Text(second, "method"), Text(second.GetProperty("params"), "text")));
        server.Directory.ForgetRequests();

        await StopAsync("k").JsonAsync(202);

        Assert.Equal([false], (await ada.Http.GetAsync($"/v1/sessions/{key.Session}").JsonAsync(200)).GetProperty("messages").EnumerateArray()
            .Where(message => Text(message, "id") == Text(second.GetProperty("params"), "messageId")).Select(message => message.GetProperty("cancelling").GetBoolean()));
    }

    [Fact]
    public async Task An_event_is_acknowledged_only_after_it_is_in_the_journal()
    {
        using var socket = await HelloAsync();
        await socket.NextAsync("welcome");

        await socket.SendAsync("""{"type":"event","n":1,"kind":"boot.phase","data":{"phase":"clone","status":"started"}}""");

        Assert.Equal(1, (await socket.NextAsync("ack")).GetProperty("n").GetInt64());
        Assert.Contains("\"phase\":\"clone\"", await EventsAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_event_that_cannot_be_shown_is_acknowledged_and_blocks_nothing()
    {
        using var socket = await HelloAsync();
        await socket.NextAsync("welcome");

        await socket.SendAsync($$$"""{"type":"event","n":1,"kind":"boot.phase","data":{"phase":"{{{new string('x', 70_000)}}}"}}""");
        await socket.SendAsync("""{"type":"event","n":2,"kind":"boot.phase","data":{"phase":"clone","status":"started"}}""");

        while ((await socket.NextAsync("ack")).GetProperty("n").GetInt64() < 2)
        {
        }

        Assert.Contains("\"phase\":\"clone\"", await EventsAsync(), StringComparison.Ordinal);
        Assert.DoesNotContain("xxxx", await EventsAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_next_box_is_told_the_conversation_though_pieces_of_it_make_no_sense()
    {
        using (var first = await HelloAsync())
        {
            await first.SendAsync("""{"type":"event","n":1,"kind":"boot.ready","data":{"agent":{"name":"opencode","version":"1"},"resumed":false,"elapsedMs":5}}""");
            var message = Text((await first.NextAsync("request")).GetProperty("params"), "messageId");
            var n = 1;
            foreach (var (kind, data) in new[]
            {
                ("message.accepted", "{}"),
                ("agent.text", """{"part":"p","offset":0,"text":"It "}"""),
                ("agent.text", """{"text":7,"offset":"none"}"""),
                ("agent.text", """{"part":"p","offset":-1,"text":"x"}"""),
                ("agent.text", """{"part":"p","offset":3,"text":"worked."}"""),
                ("message.ended", """{"outcome":"completed"}"""),
                ("agent.failed", """{"code":"agent_crashed","detail":"It left."}"""),
            })
                await first.SendAsync($$"""{"type":"event","n":{{++n}},"kind":"{{kind}}","messageId":"{{message}}","data":{{data}}}""");
            Assert.Equal(4410, (await first.ClosedAsync()).Code);
        }

        await ada.Http.PostAsync($"/v1/sessions/{key.Session}/messages", new { text = "and now?" }).JsonAsync(202);
        var view = (await ada.Http.GetAsync($"/v1/sessions/{key.Session}").JsonAsync(200)).GetProperty("sandbox");
        Assert.True(SandboxId.TryParse(view.GetProperty("id").GetString(), out box));
        Assert.Equal(2, view.GetProperty("generation").GetInt32());
        token = new SessionServer.BoxTokens().TokenFor(key, box, 2);
        using var second = await ConnectAsync();
        await second.SendAsync(Hello(generation: 2));
        await second.SendAsync("""{"type":"event","n":1,"kind":"boot.ready","data":{"agent":{"name":"opencode","version":"1"},"resumed":false,"elapsedMs":5}}""");

        var prompt = (await second.NextAsync("request")).GetProperty("params");
        Assert.Equal("and now?", Text(prompt, "text"));
        Assert.Contains("It worked.", Text(prompt, "history"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, 401, "box_credential_invalid")]
    [InlineData("junk", 401, "box_credential_invalid")]
    public async Task A_wrong_token_is_refused_before_there_is_a_socket(string? wrong, int status, string code)
    {
        using var http = TestHttp.Client(server.Address);
        if (wrong is not null) http.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", $"Bearer {wrong}");
        await http.GetAsync("/v1/bridge").RefusedAsync(status, code);
    }

    [Fact]
    public async Task A_stale_box_that_reconnects_is_refused_and_so_is_a_forged_one()
    {
        var tokens = new SessionServer.BoxTokens();
        await BoxGetAsync(token).RefusedAsync(400, "websocket_required");
        await BoxGetAsync(token[..^1] + (token[^1] == '0' ? '1' : '0')).RefusedAsync(401, "box_credential_invalid");
        await BoxGetAsync(tokens.TokenFor(new(OrganizationId.New(TimeProvider.System), key.Session), box, 1)).RefusedAsync(401, "box_credential_invalid");

        await ada.Http.PostAsync($"/v1/sessions/{key.Session}/archive", null).JsonAsync(200);
        server.Time.Advance(TimeSpan.FromSeconds(2));

        using var response = await BoxGetAsync(token);
        Assert.True((int)response.StatusCode is 401 or 410, $"{response.StatusCode}");
    }

    [Fact]
    public async Task An_api_key_is_no_box()
    {
        await BoxGetAsync(ada.Secret).RefusedAsync(401, "box_credential_invalid");
        using var program = TestHttp.Client(server.Address);
        program.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        await program.GetAsync($"/v1/sessions/{key.Session}").RefusedAsync(401, "credential_invalid");
    }

    [Theory]
    [InlineData("junk")]
    [InlineData("{\"type\":\"hello\"}")]
    [InlineData("{\"type\":\"event\",\"n\":1,\"kind\":\"k\",\"data\":{}}")]
    public async Task A_hello_that_is_wrong_closes_the_bridge(string frame)
    {
        using var socket = await ConnectAsync();
        await socket.SendAsync(frame);
        Assert.Equal(4400, (await socket.ClosedAsync()).Code);
    }

    [Fact]
    public async Task A_hello_of_another_protocol_generation_or_box_closes_the_bridge()
    {
        foreach (var hello in new[] { Hello(protocol: "[2,3]"), Hello(generation: 2), Hello(sandbox: SandboxId.New(TimeProvider.System)) })
        {
            using var socket = await ConnectAsync();
            await socket.SendAsync(hello);
            Assert.Equal(4400, (await socket.ClosedAsync()).Code);
        }
    }

    [Fact]
    public async Task A_box_that_says_nothing_is_closed_after_10_seconds()
    {
        using var socket = await ConnectAsync();

        var closed = socket.ClosedAsync();
        await Eventually.AdvanceAsync(server.Time, BridgeConnection.HelloTimeout, () => closed.IsCompleted);

        Assert.Equal(4400, (await closed).Code);
    }

    [Fact]
    public async Task Binary_junk_and_a_gap_close_the_bridge()
    {
        using var junk = await HelloAsync();
        await junk.NextAsync("welcome");
        await junk.SendAsync([0xFF, 0, 1], WebSocketMessageType.Binary);
        Assert.Equal(4400, (await junk.ClosedAsync()).Code);

        using var gap = await HelloAsync();
        await gap.NextAsync("welcome");
        await gap.SendAsync("""{"type":"event","n":7,"kind":"boot.phase","data":{}}""");
        Assert.Equal(4400, (await gap.ClosedAsync()).Code);
    }

    [Fact]
    public async Task A_newer_connection_replaces_the_older_and_the_late_close_of_the_old_does_not_clobber_it()
    {
        using var old = await HelloAsync();
        await old.NextAsync("welcome");

        using var newer = await HelloAsync();
        await newer.NextAsync("welcome");

        Assert.Equal(4409, (await old.ClosedAsync()).Code);
        await newer.SendAsync("""{"type":"event","n":1,"kind":"boot.phase","data":{"phase":"clone","status":"started"}}""");
        await newer.NextAsync("ack");
    }

    [Fact]
    public async Task A_host_that_drains_asks_its_boxes_to_reconnect()
    {
        using var socket = await HelloAsync();
        await socket.NextAsync("welcome");

        await server.Sessions.DrainAsync(default);

        Assert.Equal(1012, (await socket.ClosedAsync()).Code);
    }

    [Fact]
    public async Task A_box_stores_an_artifact_and_its_organization_downloads_it_as_an_attachment()
    {
        var content = Encoding.UTF8.GetBytes("<script>alert(1)</script>");
        var name = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(content));
        using var http = Box(token);

        await http.PutAsync($"/v1/bridge/artifacts/{name}", new ByteArrayContent(content)).JsonAsync(204);
        await http.PutAsync($"/v1/bridge/artifacts/{new string('a', 64)}", new ByteArrayContent(content)).RefusedAsync(422, "artifact_hash_mismatch");
        await http.PutAsync("/v1/bridge/artifacts/junk", new ByteArrayContent(content)).RefusedAsync(400, "artifact_name_invalid");

        using var download = await ada.Http.GetAsync($"/v1/sessions/{key.Session}/artifacts/{name}");
        Assert.Equal(content, await download.Content.ReadAsByteArrayAsync());
        Assert.Equal(("application/octet-stream", "attachment"), (download.Content.Headers.ContentType!.MediaType, download.Content.Headers.ContentDisposition!.DispositionType));
        await ada.Http.GetAsync($"/v1/sessions/{key.Session}/artifacts/{new string('a', 64)}").RefusedAsync(404, "artifact_not_found");
    }

    private async Task<string> EventsAsync() => (await ada.Http.GetAsync($"/v1/sessions/{key.Session}/events").JsonAsync(200)).GetRawText();

    private HttpClient Box(string secret)
    {
        var http = TestHttp.Client(server.Address);
        http.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", $"Bearer {secret}");
        return http;
    }

    private async Task<HttpResponseMessage> BoxGetAsync(string secret)
    {
        using var http = Box(secret);
        return await http.GetAsync(new Uri("/v1/bridge", UriKind.Relative));
    }

    private async Task<SocketClient> ReadyAsync()
    {
        var socket = await HelloAsync();
        await socket.SendAsync("""{"type":"event","n":1,"kind":"boot.ready","data":{"agent":{"name":"opencode","version":"1"},"resumed":false,"elapsedMs":5}}""");
        return socket;
    }

    /// <summary>Ends a turn, and waits until nothing of it is still to be written.</summary>
    private async Task EndTurnAsync(SocketClient socket, JsonElement request, long n)
    {
        var message = Text(request.GetProperty("params"), "messageId");
        await socket.SendAsync($$$"""{"type":"event","n":{{{n}}},"messageId":"{{{message}}}","kind":"message.accepted","data":{}}""");
        await socket.SendAsync($$$"""{"type":"event","n":{{{n + 1}}},"messageId":"{{{message}}}","kind":"message.ended","data":{"outcome":"completed"}}""");
        await Eventually.HoldsAsync(async () => (await EventsAsync()).Contains("\"run.flushed\"", StringComparison.Ordinal), "that the turn's run is in the history");
    }

    private async Task PromptAsync() => await ada.Http.PostAsync($"/v1/sessions/{key.Session}/messages", new { text = "next" }).JsonAsync(202);

    private async Task<HttpResponseMessage> StopAsync(string idempotencyKey)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/sessions/{key.Session}/cancel");
        request.Headers.Add("Idempotency-Key", idempotencyKey);
        return await ada.Http.SendAsync(request);
    }

    /// <summary>A prompt whose append lasts until the model of it has been looked up.</summary>
    private async Task<Task> PromptSlowlyAsync()
    {
        var before = server.Models.Lookups;
        server.Journal.SlowBy = TimeSpan.FromSeconds(1);
        var prompt = PromptAsync();
        await Eventually.HoldsAsync(() => server.Models.Lookups == before + 1, "that the model is looked up before the prompt is durable");
        Assert.False(prompt.IsCompleted);
        server.Journal.SlowBy = TimeSpan.Zero;
        server.Time.Advance(TimeSpan.FromSeconds(1));
        return prompt;
    }

    private static int ContextTokens(JsonElement prompt) => prompt.GetProperty("params").GetProperty("model").GetProperty("contextTokens").GetInt32();

    private Task<SocketClient> ConnectAsync() => server.ConnectAsync("/v1/bridge", "coordinator.bridge.v1", token);

    private async Task<SocketClient> HelloAsync()
    {
        var socket = await ConnectAsync();
        await socket.SendAsync(Hello());
        return socket;
    }

    private string Hello(string protocol = "[1,1]", int generation = 1, SandboxId? sandbox = null) =>
        $$"""{"type":"hello","protocol":{{protocol}},"sandbox":"{{sandbox ?? box}}","generation":{{generation}},"spoolId":"{{Spool}}","messages":[],"openPermissions":[]}""";

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;
}
