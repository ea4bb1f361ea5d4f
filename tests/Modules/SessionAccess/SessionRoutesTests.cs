using System.Net.Http.Json;
using System.Text.Json;
using Coordinator.Ports;
using Coordinator.Tests.Modules.Tenancy;
using Xunit;

namespace Coordinator.Tests.Modules.SessionAccess;

public sealed class SessionRoutesTests : ServedTests
{
    [Fact]
    public async Task A_session_is_made_with_its_first_message()
    {
        var view = await Ada.Http.PostAsync("/v1/sessions", new { model = "demo/scripted", prompt = "make a file\nand test it", permissions = "ask", repository = new { url = "https://example.org/a/widget.git", branch = "main" } }).JsonAsync(201);

        Assert.Equal(("make a file", "demo/scripted", "opencode", "ask"), (Text(view, "title"), Text(view, "model"), Text(view, "agent"), Text(view, "permissions")));
        Assert.Equal("https://example.org/a/widget.git", Text(view.GetProperty("repository"), "url"));
        Assert.Equal("make a file\nand test it", Text(Assert.Single(view.GetProperty("messages").EnumerateArray()), "text"));
        Assert.Equal(Text(view, "title"), Text(await Ada.Http.GetAsync($"/v1/sessions/{Text(view, "id")}").JsonAsync(200), "title"));
        var messages = await Ada.Http.GetAsync($"/v1/sessions/{Text(view, "id")}/messages").JsonAsync(200);
        Assert.Equal(view.GetProperty("messages").GetRawText(), messages.GetProperty("items").GetRawText());
    }

    [Fact]
    public async Task A_retry_with_its_key_meets_the_same_session_and_message_even_when_nobody_remembers_the_first_try()
    {
        var first = await CreateAsync("k1");
        Server.Directory.ForgetRequests();

        var second = await CreateAsync("k1");

        Assert.Equal(Text(first, "id"), Text(second, "id"));
        Assert.Single(second.GetProperty("messages").EnumerateArray());
        Assert.Single((await Ada.Http.GetAsync("/v1/sessions").JsonAsync(200)).GetProperty("items").EnumerateArray());
    }

    [Theory]
    [InlineData("{}", 422, "model_required")]
    [InlineData("""{"model":"nobody/x"}""", 422, "model_provider_unknown")]
    [InlineData("""{"model":"demo/scripted","agent":"other"}""", 422, "agent_unknown")]
    [InlineData("""{"model":"demo/scripted","title":" "}""", 422, "title_invalid")]
    [InlineData("""{"model":"demo/scripted","title":"a\nb"}""", 422, "title_invalid")]
    [InlineData("""{"model":"demo/scripted","prompt":" "}""", 422, "prompt_empty")]
    [InlineData("""{"model":"demo/scripted","permissions":"never"}""", 400, "json_invalid")]
    [InlineData("""{"model":"demo/scripted","permissions":1}""", 400, "json_invalid")]
    [InlineData("""{"model":"demo/scripted","repository":{}}""", 422, "repository_url_invalid")]
    [InlineData("""{"model":"demo/scripted","repository":{"url":"git@github.com:a/b.git"}}""", 422, "repository_url_invalid")]
    [InlineData("""{"model":"demo/scripted","repository":{"url":"file:///etc"}}""", 422, "repository_url_invalid")]
    [InlineData("""{"model":"demo/scripted","repository":{"url":"https://user:secret@example.org/a/b"}}""", 422, "repository_url_invalid")]
    [InlineData("""{"model":"demo/scripted","repository":{"url":"https://example.org/a","branch":"--upload-pack=x"}}""", 422, "branch_invalid")]
    [InlineData("""{"model":"demo/scripted","repository":{"url":"https://example.org/a","branch":"a..b"}}""", 422, "branch_invalid")]
    public async Task What_makes_no_sense_is_refused_and_makes_nothing(string body, int status, string code)
    {
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");

        await Ada.Http.PostAsync("/v1/sessions", content).RefusedAsync(status, code);

        Assert.Empty((await Ada.Http.GetAsync("/v1/sessions").JsonAsync(200)).GetProperty("items").EnumerateArray());
    }

    [Fact]
    public async Task A_prompt_over_64_KiB_is_refused_with_a_session_and_without()
    {
        var large = new string('é', (32 * 1024) + 1);
        await Ada.Http.PostAsync("/v1/sessions", new { model = "demo/scripted", prompt = large }).RefusedAsync(413, "prompt_too_large");
        var session = await SessionServer.CreateAsync(Ada);
        await Ada.Http.PostAsync($"/v1/sessions/{session}/messages", new { text = large }).RefusedAsync(413, "prompt_too_large");
        await Ada.Http.PostAsync($"/v1/sessions/{session}/messages", new { text = large[1..] }).JsonAsync(202);
    }

    [Fact]
    public async Task Any_signed_in_user_can_read_any_session__another_organizations_is_absent_everywhere()
    {
        var session = await SessionServer.CreateAsync(Ada, "hello");
        var eve = await Server.CallerAsync(Role.Owner);
        var message = MessageId.New(TimeProvider.System);
        var (path, http) = ($"/v1/sessions/{session}", eve.Http);

        await http.GetAsync(path).RefusedAsync(404, "session_not_found");
        await http.PatchAsync(path, JsonContent.Create(new { title = "mine" })).RefusedAsync(404, "session_not_found");
        await http.PostAsync($"{path}/archive", null).RefusedAsync(404, "session_not_found");
        await http.PostAsync($"{path}/cancel", null).RefusedAsync(404, "session_not_found");
        await http.PostAsync($"{path}/messages", new { text = "hi" }).RefusedAsync(404, "session_not_found");
        await http.GetAsync($"{path}/messages").RefusedAsync(404, "session_not_found");
        await http.PatchAsync($"{path}/messages/{message}", JsonContent.Create(new { text = "hi" })).RefusedAsync(404, "session_not_found");
        await http.PostAsync($"{path}/messages/{message}/move", new { before = (string?)null }).RefusedAsync(404, "session_not_found");
        await http.PostAsync($"{path}/messages/{message}/cancel", null).RefusedAsync(404, "session_not_found");
        await http.GetAsync($"{path}/events").RefusedAsync(404, "session_not_found");
        await http.PostAsync($"{path}/permissions/{PermissionId.New(TimeProvider.System)}", new { decision = "once" }).RefusedAsync(404, "session_not_found");
        await http.GetAsync($"{path}/artifacts/{new string('a', 64)}").RefusedAsync(404, "session_not_found");
        Assert.Empty((await http.GetAsync("/v1/sessions").JsonAsync(200)).GetProperty("items").EnumerateArray());
        using var socket = await Server.FollowAsync(eve, session);
        await socket.SendAsync("""{"type":"subscribe"}""");
        Assert.Equal(4404, (await socket.ClosedAsync()).Code);
    }

    [Fact]
    public async Task A_viewer_looks_and_touches_nothing()
    {
        var session = await SessionServer.CreateAsync(Ada);
        var viewer = await Server.CallerAsync(Role.Viewer, Ada.Organization);

        await viewer.Http.GetAsync($"/v1/sessions/{session}").JsonAsync(200);
        await viewer.Http.PostAsync("/v1/sessions", new { model = "demo/scripted" }).RefusedAsync(403, "role_insufficient");
        await viewer.Http.PostAsync($"/v1/sessions/{session}/messages", new { text = "hi" }).RefusedAsync(403, "role_insufficient");
        await viewer.Http.PostAsync($"/v1/sessions/{session}/archive", null).RefusedAsync(403, "role_insufficient");
    }

    [Fact]
    public async Task Queued_messages_can_be_edited_moved_and_cancelled()
    {
        var session = await SessionServer.CreateAsync(Ada);
        var ids = new List<string>();
        foreach (var text in (string[])["one", "two", "three"]) ids.Add(Text(await Ada.Http.PostAsync($"/v1/sessions/{session}/messages", new { text }).JsonAsync(202), "messageId"));

        await Ada.Http.PatchAsync($"/v1/sessions/{session}/messages/{ids[1]}", JsonContent.Create(new { text = "zwei" })).JsonAsync(200);
        await Ada.Http.PostAsync($"/v1/sessions/{session}/messages/{ids[2]}/move", new { before = ids[0] }).JsonAsync(200);
        await Ada.Http.PostAsync($"/v1/sessions/{session}/messages/{ids[0]}/cancel", null).JsonAsync(202);

        var open = (await Ada.Http.GetAsync($"/v1/sessions/{session}/messages").JsonAsync(200)).GetProperty("items").EnumerateArray().Where(message => Text(message, "status") == "queued");
        Assert.Equal(["three", "zwei"], open.Select(message => Text(message, "text")));
        await Ada.Http.PostAsync($"/v1/sessions/{session}/messages/{MessageId.New(TimeProvider.System)}/cancel", null).RefusedAsync(404, "message_not_found");
        await Ada.Http.PostAsync($"/v1/sessions/{session}/cancel", null).RefusedAsync(409, "nothing_running");
    }

    [Fact]
    public async Task Lists_are_pages_newest_first()
    {
        var made = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/sessions") { Content = JsonContent.Create(new { model = "demo/scripted" }) };
            request.Headers.Add("Idempotency-Key", $"k{i}");
            made.Add(Text(await Ada.Http.SendAsync(request).JsonAsync(201), "id"));
        }

        var listed = new List<string>();
        string? cursor = null;
        do
        {
            var page = await Ada.Http.GetAsync($"/v1/sessions?limit=2{(cursor is null ? "" : $"&cursor={cursor}")}").JsonAsync(200);
            listed.AddRange(page.GetProperty("items").EnumerateArray().Select(view => Text(view, "id")));
            cursor = page.GetProperty("nextCursor").GetString();
        }
        while (cursor is not null);

        made.Reverse();
        Assert.Equal(made, listed);
        await Ada.Http.GetAsync("/v1/sessions?limit=0").RefusedAsync(400, "limit_invalid");
        await Ada.Http.GetAsync("/v1/sessions?limit=201").RefusedAsync(400, "limit_invalid");
        await Ada.Http.GetAsync("/v1/sessions?limit=x").RefusedAsync(400, "parameter_invalid");
        await Ada.Http.GetAsync("/v1/sessions?cursor=junk").RefusedAsync(400, "cursor_malformed");
    }

    [Fact]
    public async Task A_session_is_renamed_and_archived()
    {
        var session = await SessionServer.CreateAsync(Ada);

        Assert.Equal("Better", Text(await Ada.Http.PatchAsync($"/v1/sessions/{session}", JsonContent.Create(new { title = " Better " })).JsonAsync(200), "title"));
        Assert.Equal("archived", Text(await Ada.Http.PostAsync($"/v1/sessions/{session}/archive", null).JsonAsync(200), "status"));
        await Ada.Http.PostAsync($"/v1/sessions/{session}/messages", new { text = "hi" }).RefusedAsync(409, "session_archived");
    }

    private async Task<JsonElement> CreateAsync(string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/sessions") { Content = JsonContent.Create(new { model = "demo/scripted", prompt = "hello" }) };
        request.Headers.Add("Idempotency-Key", key);
        return await Ada.Http.SendAsync(request).JsonAsync(201);
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;
}
