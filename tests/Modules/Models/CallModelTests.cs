using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Coordinator.Fakes;
using Coordinator.Modules.Models.Gateway;
using Coordinator.Modules.Models.Tokens;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Coordinator.Ports.Session;
using Coordinator.Tests.Support;
using Xunit;
using static Coordinator.Tests.Modules.Models.ChatCall;

namespace Coordinator.Tests.Modules.Models;

public sealed class CallModelTests : IAsyncLifetime
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    private ModelsServer server = null!;

    private WantedBox Sessions => server.Sessions;

    public async Task InitializeAsync() => server = await ModelsServer.StartAsync();

    public async Task DisposeAsync() => await server.DisposeAsync();

    [Fact]
    public async Task A_stream_goes_through_unchanged_and_its_usage_is_priced_and_recorded()
    {
        server.Gateway.Enqueue(ModelAnswer.Stream("data: {\"choices\":[{\"delta\":{\"content\":\"Grü", "ße\"}}]}\n\n", Usage, Done));

        var (status, text) = await CallAsync(ChatPath, """{"model":"fast","stream":true,"messages":[]}""");

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("data: {\"choices\":[{\"delta\":{\"content\":\"Grüße\"}}]}\n\n" + Usage + Done, text);
        Assert.Equal(new ModelUsage("acme/fast", 1000, 500, 0, 0, 0, 0.002m), Assert.Single(Sessions.Recorded));
        Assert.Equal(0, server.Gateway.Open);
    }

    [Fact]
    public async Task The_upstream_gets_its_own_model_name_and_is_asked_for_usage()
    {
        server.Gateway.Enqueue(ModelAnswer.Stream(Usage, Done));

        await CallAsync(ChatPath, """{"model":"deep/name","stream":true}""");

        var call = Assert.Single(server.Gateway.Calls);
        Assert.Equal("acme/deep/name", call.Model);
        Assert.Equal("chat/completions", call.Path);
        Assert.True((bool)JsonNode.Parse(call.Body.Span)!["stream_options"]!["include_usage"]!);
    }

    [Fact]
    public async Task The_end_of_a_stream_is_held_back_until_its_usage_is_durable()
    {
        var asked = new TaskCompletionSource();
        var durable = new TaskCompletionSource();
        Sessions.BeforeRecord = () =>
        {
            asked.SetResult();
            return durable.Task;
        };
        server.Gateway.Enqueue(ModelAnswer.Stream("data: {\"choices\":[]}\n\n", Usage, Done));
        using var box = server.Box();
        using var response = await SendAsync(box, ChatPath, """{"model":"fast","stream":true}""");
        await using var body = await response.Content.ReadAsStreamAsync();
        var reader = new StreamReader(body);
        for (var i = 0; i < 4; i++) await reader.ReadLineAsync().WaitAsync(Bound);

        var end = reader.ReadLineAsync();
        await asked.Task.WaitAsync(Bound);
        await CallAsync("model/v1/acme/unknown", "{}");
        Assert.False(end.IsCompleted, "The end came before its usage was durable.");
        durable.SetResult();

        Assert.Equal("data: [DONE]", await end.WaitAsync(Bound));
        Assert.Single(Sessions.Recorded);
    }

    [Fact]
    public async Task A_stream_whose_usage_cannot_be_recorded_is_cut_before_its_end()
    {
        Sessions.BeforeRecord = () => throw new PortException(PortFailureKind.Rejected, "The journal takes no such record.");
        server.Gateway.Enqueue(ModelAnswer.Stream("data: {\"choices\":[]}\n\n", Usage, Done));

        await Assert.ThrowsAnyAsync<Exception>(() => CallAsync(ChatPath, """{"model":"fast","stream":true}"""));

        Assert.Empty(Sessions.Recorded);
        Assert.Contains("could not be recorded", server.Log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_journal_that_is_down_for_a_moment_is_waited_for()
    {
        var failures = 2;
        Sessions.BeforeRecord = () => failures-- > 0 ? throw new PortException(PortFailureKind.Unavailable, "Not now.") : Task.CompletedTask;
        server.Gateway.Enqueue(ModelAnswer.Stream(Usage, Done));

        var (_, text) = await CallAsync(ChatPath, """{"model":"fast","stream":true}""");

        Assert.EndsWith(Done, text, StringComparison.Ordinal);
        Assert.Single(Sessions.Recorded);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_answer_whose_usage_may_have_been_recorded_is_given_its_end_once_that_is_known_and_counts_once(bool wasRecorded)
    {
        var losses = 1;
        var lose = () =>
        {
            if (losses-- > 0) throw new PortException(PortFailureKind.Unavailable, "The host has died meanwhile.", effectMayHaveHappened: true);
        };
        if (wasRecorded) Sessions.AfterRecord = lose;
        else Sessions.BeforeRecord = () => Task.Run(lose);
        server.Gateway.Enqueue(ModelAnswer.Stream(Usage, Done));

        var (_, text) = await CallAsync(ChatPath, """{"model":"fast","stream":true}""");

        Assert.EndsWith(Done, text, StringComparison.Ordinal);
        Assert.Single(Sessions.Recorded);
        Assert.DoesNotContain("could not be recorded", server.Log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_cut_by_the_upstream_is_cut_for_the_agent_and_what_it_used_is_recorded()
    {
        server.Gateway.Enqueue(ModelAnswer.Stream("event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":70,\"output_tokens\":1}}}\n\n", "event: content") with { CutAtEnd = true });

        await Assert.ThrowsAnyAsync<Exception>(() => CallAsync("model/v1/acme/messages", """{"model":"fast","stream":true}"""));

        Assert.Equal(70, Assert.Single(Sessions.Recorded).InputTokens);
    }

    [Fact]
    public async Task An_agent_that_leaves_ends_the_call_upstream_and_what_it_used_is_recorded()
    {
        var never = new TaskCompletionSource();
        server.Gateway.Enqueue(ModelAnswer.Stream("data: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":70,\"output_tokens\":1}}}\n\n", "never") with { Gate = never.Task });
        var box = server.Box();
        var response = await SendAsync(box, "model/v1/acme/messages", """{"model":"fast","stream":true}""");
        await (await response.Content.ReadAsStreamAsync()).ReadExactlyAsync(new byte[10]);

        response.Dispose();
        box.Dispose();

        await Eventually.HoldsAsync(() => server.Gateway.Open == 0 && Sessions.Recorded.Count == 1, "the end of the call, counted");
        Assert.Equal(70, Sessions.Recorded[0].InputTokens);
    }

    [Fact]
    public async Task An_answer_that_does_not_stream_is_recorded_before_it_is_given()
    {
        const string Body = """{"choices":[{"message":{"content":"Hi"}}],"usage":{"prompt_tokens":10,"completion_tokens":20}}""";
        server.Gateway.Enqueue(ModelAnswer.Json(200, Body));

        var (_, text) = await CallAsync(ChatPath, """{"model":"fast"}""");

        Assert.Equal(Body, text);
        Assert.Equal((10, 20), (Sessions.Recorded[0].InputTokens, Sessions.Recorded[0].OutputTokens));
    }

    [Theory]
    [InlineData(ChatPath)]
    [InlineData("model/v1/acme/messages")]
    public async Task A_refused_key_is_told_in_the_wires_form_with_the_secret_to_set_and_without_the_key(string path)
    {
        server.Gateway.Enqueue(ModelAnswer.KeyRefused(ModelsServer.Key));

        var (status, text) = await CallAsync(path, """{"model":"fast","stream":true}""");

        Assert.Equal(HttpStatusCode.Unauthorized, status);
        Assert.Contains("models/acme", JsonNode.Parse(text)!["error"]!["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.DoesNotContain(ModelsServer.Key, text, StringComparison.Ordinal);
        Assert.DoesNotContain(ModelsServer.Key, server.Log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_limit_of_the_provider_reaches_the_agent_with_its_wait()
    {
        server.Gateway.Enqueue(ModelAnswer.RateLimited(TimeSpan.FromSeconds(7)));
        using var box = server.Box();

        using var response = await SendAsync(box, ChatPath, """{"model":"fast"}""");

        Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(7), response.Headers.RetryAfter!.Delta);
        Assert.Contains("Rate limit", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_provider_that_cannot_be_reached_is_a_502_that_agents_retry()
    {
        server.Gateway.Otherwise = _ => throw new PortException(PortFailureKind.Unavailable, "The model provider acme cannot be reached.");

        Assert.Equal(HttpStatusCode.BadGateway, (await CallAsync(ChatPath, """{"model":"fast"}""")).Status);
    }

    [Fact]
    public async Task What_is_away_of_the_control_plane_is_not_told_as_the_provider()
    {
        server.Gateway.Faults.FailBefore(PortFailureKind.Unavailable, 1);

        await RefusedAsync(ChatPath, """{"model":"fast"}""", HttpStatusCode.ServiceUnavailable, "dependency_unavailable");
    }

    [Fact]
    public async Task A_missing_key_names_the_secret_to_set() =>
        Assert.Contains("models/other", (await RefusedAsync("model/v1/other/chat/completions", """{"model":"slow"}""", HttpStatusCode.UnprocessableEntity, "model_key_missing")), StringComparison.Ordinal);

    [Fact]
    public async Task A_key_that_no_master_key_here_opens_is_told_as_that_and_names_the_secret()
    {
        server.Gateway.Faults.FailBefore(PortFailureKind.Rejected, 1, VaultProblems.KeyLost("models/acme"));

        Assert.Contains("models/acme", await RefusedAsync(ChatPath, """{"model":"fast"}""", HttpStatusCode.UnprocessableEntity, "secret_key_lost"), StringComparison.Ordinal);
    }

    [Fact]
    public Task An_unknown_provider_is_refused() => RefusedAsync("model/v1/nobody/chat/completions", """{"model":"x"}""", HttpStatusCode.UnprocessableEntity, "model_provider_unknown");

    [Theory]
    [InlineData("model/v1/acme/embeddings")]
    [InlineData("model/v1/acme/chat/completions/../../files")]
    [InlineData("model/v1/acme/%2e%2e/files")]
    [InlineData("model/v1/acme/")]
    public async Task Only_the_paths_of_the_known_wires_are_open(string path)
    {
        Assert.Equal(HttpStatusCode.NotFound, (await CallAsync(path, """{"model":"fast"}""")).Status);
        Assert.Empty(server.Gateway.Calls);
    }

    [Fact]
    public async Task A_call_beyond_the_bound_is_refused_unread()
    {
        var body = $$"""{"model":"fast","messages":"{{new string('x', CallModel.LargestBody)}}"}""";

        await RefusedAsync(ChatPath, body, HttpStatusCode.RequestEntityTooLarge, "model_request_too_large");
    }

    [Fact]
    public async Task A_long_conversation_goes_through_although_other_routes_take_less()
    {
        var body = $$"""{"model":"fast","messages":"{{new string('x', 5 * 1024 * 1024)}}"}""";

        Assert.Equal(HttpStatusCode.OK, (await CallAsync(ChatPath, body)).Status);
        Assert.Equal(body.Length, Assert.Single(server.Gateway.Calls).Body.Length);
    }

    [Fact]
    public Task A_body_that_is_no_json_is_refused() => RefusedAsync(ChatPath, "nonsense", HttpStatusCode.BadRequest, "model_request_invalid");

    [Fact]
    public async Task Without_a_valid_token_nothing_is_called_and_no_session_is_woken()
    {
        var foreign = new GatewayTokens(new ModelsServer.Signer("stranger"), TimeProvider.System).Mint(Sessions.Session, Sessions.Credential).Token;
        var late = new GatewayTokens(new ModelsServer.Signer("master"), new ManualTime(DateTimeOffset.UnixEpoch)).Mint(Sessions.Session, Sessions.Credential).Token;
        var good = server.Tokens.Mint(Sessions.Session, Sessions.Credential).Token;
        foreach (var token in new[] { null, "junk", Sessions.Token, foreign, late, good.Replace("gt_", "gt_x", StringComparison.Ordinal) })
        {
            using var client = server.WithToken(token);
            using var response = await SendAsync(client, ChatPath, """{"model":"fast"}""");
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            Assert.Equal("gateway_token_invalid", JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!["code"]!.GetValue<string>());
        }

        Assert.Empty(server.Gateway.Calls);
    }

    [Fact]
    public async Task The_token_of_another_organizations_session_reaches_nothing_here()
    {
        var other = new SessionKey(OrganizationId.New(TimeProvider.System), Sessions.Session.Session);
        using var client = server.WithToken(server.Tokens.Mint(other, Sessions.Credential).Token);

        using var response = await SendAsync(client, ChatPath, """{"model":"fast"}""");

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Empty(server.Gateway.Calls);
    }

    [Fact]
    public async Task The_token_of_an_ended_box_stops_costing_money_at_once()
    {
        using var box = server.Box();
        Sessions.IsWanted = false;

        using var response = await SendAsync(box, ChatPath, """{"model":"fast"}""");

        Assert.Equal(HttpStatusCode.Gone, response.StatusCode);
        Assert.Empty(server.Gateway.Calls);
    }

    [Fact]
    public async Task A_box_gets_a_token_for_its_own_and_calls_with_it()
    {
        using var box = server.WithToken(Sessions.Token);
        using var minted = await box.PostAsync(new Uri("v1/bridge/gateway-token", UriKind.Relative), null);
        var answer = JsonDocument.Parse(await minted.Content.ReadAsStringAsync()).RootElement;

        using var client = server.WithToken(answer.GetProperty("token").GetString());
        using var response = await SendAsync(client, ChatPath, """{"model":"fast"}""");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.True(answer.GetProperty("expiresAt").GetDateTimeOffset() > DateTimeOffset.UnixEpoch);
    }

    [Fact]
    public async Task Nobody_but_a_wanted_box_gets_a_token()
    {
        using var stranger = server.WithToken(Sessions.Token[..^4] + "AAAA");
        using var refused = await stranger.PostAsync(new Uri("v1/bridge/gateway-token", UriKind.Relative), null);

        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
    }

    [Fact]
    public async Task Members_see_providers_and_the_models_of_those_that_are_known()
    {
        using var member = await server.MemberAsync();

        var providers = JsonNode.Parse(await member.GetStringAsync(new Uri("v1/providers", UriKind.Relative)))!["items"]!.AsArray();
        var models = JsonNode.Parse(await member.GetStringAsync(new Uri("v1/models", UriKind.Relative)))!["items"]!.AsArray();

        Assert.Equal(["acme:True", "demo:True", "other:False"], providers.Select(provider => $"{provider!["name"]}:{(bool)provider["ready"]!}"));
        Assert.Equal(["acme/fast", "demo/scripted", "other/slow"], models.Select(model => (string?)model!["model"]));
        Assert.Equal([false, true, false], models.Select(model => (bool)model!["isDemo"]!));
        Assert.Equal(2m, (decimal)models[0]!["outputPrice"]!);
    }

    private async Task<string> RefusedAsync(string path, string body, HttpStatusCode status, string code)
    {
        var (actual, text) = await CallAsync(path, body);
        Assert.True(status == actual, $"{actual}: {text}");
        var error = JsonNode.Parse(text)!["error"]!;
        Assert.Equal(code, (string?)error["code"]);
        Assert.Empty(server.Gateway.Calls);
        return (string)error["message"]!;
    }

    private Task<(HttpStatusCode Status, string Text)> CallAsync(string path, string body) => server.CallAsync(path, body);

    private static Task<HttpResponseMessage> SendAsync(HttpClient client, string path, string body) => ModelsServer.SendAsync(client, path, body);
}
