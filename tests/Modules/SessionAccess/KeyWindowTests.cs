using System.Net.Http.Json;
using System.Text.Json;
using Coordinator.Ports;
using Coordinator.Tests.Modules.Tenancy;
using Xunit;

namespace Coordinator.Tests.Modules.SessionAccess;

/// <summary>An idempotency key stands for its first use for a day, and is free after it.</summary>
public sealed class KeyWindowTests : ServedTests
{
    private static readonly TimeSpan Day = TimeSpan.FromHours(24);
    private static readonly TimeSpan Almost = Day - TimeSpan.FromSeconds(1);

    [Fact]
    public async Task Within_a_day_a_key_makes_one_session_and_refuses_another_body()
    {
        var first = await CreateAsync("k", "hello").JsonAsync(201);
        Server.Time.Advance(Almost);

        using var again = await CreateAsync("k", "hello");

        Assert.Equal("true", again.Headers.GetValues("Idempotency-Replayed").Single());
        Assert.Equal(Id(first), Id(await Task.FromResult(again).JsonAsync(201)));
        await CreateAsync("k", "something else").RefusedAsync(409, "idempotency_key_reused");
    }

    [Theory]
    [InlineData("hello")]
    [InlineData("something else")]
    public async Task After_a_day_a_key_makes_another_session_whatever_the_body(string prompt)
    {
        var first = await CreateAsync("k", "hello").JsonAsync(201);
        Server.Time.Advance(Day);

        using var answer = await CreateAsync("k", prompt);

        Assert.False(answer.Headers.Contains("Idempotency-Replayed"));
        var second = await Task.FromResult(answer).JsonAsync(201);
        Assert.NotEqual(Id(first), Id(second));
        Assert.Equal(prompt, Assert.Single(second.GetProperty("messages").EnumerateArray()).GetProperty("text").GetString());
        Assert.Single((await Ada.Http.GetAsync($"/v1/sessions/{Id(first)}").JsonAsync(200)).GetProperty("messages").EnumerateArray());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(23 * 60)]
    public async Task A_retry_after_midnight_meets_the_session_of_the_first_try_that_nobody_remembers(int minutes)
    {
        Server.Time.Advance(Server.Time.GetUtcNow().Date.AddDays(1).AddSeconds(-30) - Server.Time.GetUtcNow().DateTime);
        var first = await CreateAsync("k", "hello").JsonAsync(201);
        Server.Directory.ForgetRequests();
        Server.Time.Advance(TimeSpan.FromMinutes(minutes));

        var second = await CreateAsync("k", "hello").JsonAsync(201);

        Assert.Equal(Id(first), Id(second));
        Assert.Single(second.GetProperty("messages").EnumerateArray());
    }

    [Fact]
    public async Task Within_a_day_a_message_is_queued_once_by_its_key_over_HTTP_and_over_a_socket()
    {
        var session = await SessionServer.CreateAsync(Ada);
        var first = (await SendAsync(session, "k", "do it").JsonAsync(202)).GetProperty("messageId").GetString();
        Server.Time.Advance(Almost);

        using var again = await SendAsync(session, "k", "do it");
        Assert.Equal("true", again.Headers.GetValues("Idempotency-Replayed").Single());
        Assert.Equal(first, (await Task.FromResult(again).JsonAsync(202)).GetProperty("messageId").GetString());
        await SendAsync(session, "k", "do something else").RefusedAsync(409, "idempotency_key_reused");
        using var socket = await ReadyAsync(session);
        Assert.Equal(first, (await PromptAsync(socket, "k", "do it", "accepted")).GetProperty("messageId").GetString());
        Assert.Equal("idempotency_key_reused", (await PromptAsync(socket, "k", "do something else", "refused")).GetProperty("code").GetString());
        Assert.Equal([first], await MessagesAsync(session));
    }

    [Fact]
    public async Task The_memory_of_a_session_holds_its_keys_for_a_day_when_the_one_of_requests_does_not()
    {
        var session = await SessionServer.CreateAsync(Ada);
        var first = (await SendAsync(session, "k", "do it").JsonAsync(202)).GetProperty("messageId").GetString();
        Server.Directory.ForgetRequests();
        Server.Time.Advance(Almost);

        Assert.Equal(first, (await SendAsync(session, "k", "do it").JsonAsync(202)).GetProperty("messageId").GetString());
        Server.Directory.ForgetRequests();
        await SendAsync(session, "k", "do something else").RefusedAsync(409, "idempotency_key_reused");
    }

    [Theory]
    [InlineData("do it")]
    [InlineData("do something else")]
    public async Task After_a_day_a_message_s_key_is_free_over_HTTP_and_over_a_socket(string text)
    {
        var session = await SessionServer.CreateAsync(Ada);
        var first = (await SendAsync(session, "k1", "do it").JsonAsync(202)).GetProperty("messageId").GetString();
        using (var before = await ReadyAsync(session)) await PromptAsync(before, "k2", "do it", "accepted");
        Server.Time.Advance(Day);

        var overHttp = (await SendAsync(session, "k1", text).JsonAsync(202)).GetProperty("messageId").GetString();
        using var socket = await ReadyAsync(session);
        var overSocket = (await PromptAsync(socket, "k2", text, "accepted")).GetProperty("messageId").GetString();

        Assert.NotEqual(first, overHttp);
        Assert.Equal(4, (await MessagesAsync(session)).Distinct().Count());
        Assert.Equal(overSocket, (await PromptAsync(socket, "k2", text, "accepted")).GetProperty("messageId").GetString());
    }

    private static string Id(JsonElement view) => view.GetProperty("id").GetString()!;

    private Task<HttpResponseMessage> CreateAsync(string key, string prompt) => PostAsync("/v1/sessions", key, new { model = "demo/scripted", prompt });

    private Task<HttpResponseMessage> SendAsync(SessionId session, string key, string text) => PostAsync($"/v1/sessions/{session}/messages", key, new { text });

    private async Task<HttpResponseMessage> PostAsync(string path, string key, object body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
        request.Headers.Add("Idempotency-Key", key);
        return await Ada.Http.SendAsync(request);
    }

    private async Task<IReadOnlyList<string?>> MessagesAsync(SessionId session) =>
        [.. (await Ada.Http.GetAsync($"/v1/sessions/{session}/messages").JsonAsync(200)).GetProperty("items").EnumerateArray().Select(message => message.GetProperty("id").GetString())];

    private async Task<SocketClient> ReadyAsync(SessionId session)
    {
        var socket = await Server.FollowAsync(Ada, session);
        await socket.SendAsync("""{"type":"subscribe"}""");
        await socket.NextAsync("ready");
        return socket;
    }

    private static async Task<JsonElement> PromptAsync(SocketClient socket, string clientId, string text, string answer)
    {
        await socket.SendAsync($$"""{"type":"prompt","clientId":"{{clientId}}","text":"{{text}}"}""");
        return await socket.NextAsync(answer);
    }
}
