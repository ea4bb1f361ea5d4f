using System.Net;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Coordinator.Client;
using Coordinator.Ports;
using Xunit;

namespace Coordinator.Tests.Journey;

/// <summary>What the host says to requests that make no sense, end to end.</summary>
[Collection(JourneyHost.Collection)]
public sealed class BadRequestTests(JourneyHost host)
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task A_provider_nobody_knows_is_refused_by_name()
    {
        var refused = await Assert.ThrowsAsync<CoordinatorException>(() => host.Client.CreateSessionAsync(new("nobody/model"), CancellationToken.None));

        Assert.Equal((422, "model_provider_unknown"), (refused.Status, refused.Code));
        Assert.Contains("nobody", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_key_is_named_by_its_secret()
    {
        var refused = await Assert.ThrowsAsync<CoordinatorException>(() => host.Client.CreateSessionAsync(new("openai/gpt-5"), CancellationToken.None));

        Assert.Equal((422, "model_key_missing"), (refused.Status, refused.Code));
        Assert.Contains("models/openai", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task There_is_no_default_model()
    {
        var (status, problem) = await host.PostAsync("/v1/sessions", new { title = "No model" });

        Assert.Equal((422, "model_required"), (status, problem.GetProperty("code").GetString()));
    }

    [Fact]
    public async Task A_prompt_over_64_KiB_is_refused_and_the_session_takes_the_next()
    {
        var session = await host.Client.CreateSessionAsync(new("demo/scripted"), CancellationToken.None);

        var refused = await Assert.ThrowsAsync<CoordinatorException>(() => host.Client.PromptAsync(session.Id, new string('x', 64 * 1024 + 1), CancellationToken.None));

        Assert.Equal((413, "prompt_too_large"), (refused.Status, refused.Code));
        Assert.Empty((await host.Client.GetSessionAsync(session.Id, CancellationToken.None)).Messages);
        await host.Client.ArchiveAsync(session.Id, CancellationToken.None);
    }

    [Fact]
    public async Task A_session_id_of_somebody_else_is_not_there_for_any_call()
    {
        var foreign = SessionId.New(TimeProvider.System).ToString();
        Func<Task>[] calls =
        [
            () => host.Client.GetSessionAsync(foreign, CancellationToken.None),
            () => host.Client.PromptAsync(foreign, "hello", CancellationToken.None),
            () => host.Client.CancelAsync(foreign, null, CancellationToken.None),
            () => host.Client.ArchiveAsync(foreign, CancellationToken.None),
            () => host.Client.ListEventsAsync(foreign, null, 10, CancellationToken.None),
        ];

        foreach (var call in calls) Assert.Equal(404, (await Assert.ThrowsAsync<CoordinatorException>(call)).Status);
    }

    [Theory]
    [InlineData("sb_nonsense")]
    [InlineData("")]
    [InlineData("ck_0123456789")]
    public async Task A_box_without_a_right_token_is_not_let_in(string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(host.Process.Url, "/v1/bridge"));
        if (token.Length > 0) request.Headers.Authorization = new("Bearer", token);
        using var http = Support.Http.TestHttp.Client();

        using var answer = await http.SendAsync(request);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Theory]
    [InlineData("not json at all")]
    [InlineData("[1,2,3]")]
    [InlineData("{\"type\":42}")]
    [InlineData("{\"type\":\"subscribe\",\"after\":{\"deep\":[]}}")]
    public async Task Junk_on_a_clients_socket_closes_that_socket_and_nothing_else(string junk)
    {
        var session = await host.Client.CreateSessionAsync(new("demo/scripted"), CancellationToken.None);
        using var limit = new CancellationTokenSource(Bound);
        using var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("coordinator.v1");
        socket.Options.SetRequestHeader("Authorization", $"Bearer {host.ApiKey}");
        await socket.ConnectAsync(new UriBuilder(new Uri(host.Process.Url, $"/v1/sessions/{session.Id}/ws")) { Scheme = "ws" }.Uri, limit.Token);

        await socket.SendAsync(Encoding.UTF8.GetBytes(junk), WebSocketMessageType.Text, endOfMessage: true, limit.Token);

        Assert.Equal(4400, (int)await CloseOfAsync(socket, limit.Token));
        Assert.Equal(session.Id, (await host.Client.GetSessionAsync(session.Id, CancellationToken.None)).Id);
        await host.Client.ArchiveAsync(session.Id, CancellationToken.None);
    }

    [Theory]
    [InlineData("DELETE", "/v1/me", HttpStatusCode.MethodNotAllowed, "method_not_allowed", "GET")]
    [InlineData("PUT", "/v1/sessions", HttpStatusCode.MethodNotAllowed, "method_not_allowed", "GET, POST")]
    [InlineData("GET", "/v1/nothing", HttpStatusCode.NotFound, "route_not_found", null)]
    public async Task A_wrong_method_is_told_the_right_ones_and_a_wrong_path_that_it_is_none(string method, string path, HttpStatusCode status, string code, string? allowed)
    {
        using var request = new HttpRequestMessage(new(method), path);

        using var answer = await host.Http.SendAsync(request);

        Assert.Equal(status, answer.StatusCode);
        Assert.Equal(code, (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString());
        Assert.Equal(allowed, answer.Content.Headers.Allow.Count == 0 ? null : string.Join(", ", answer.Content.Headers.Allow));
    }

    private static async Task<WebSocketCloseStatus> CloseOfAsync(ClientWebSocket socket, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 * 1024];
        while ((await socket.ReceiveAsync(buffer, cancellationToken)).MessageType != WebSocketMessageType.Close)
        {
            // What was on its way before the close is of no interest.
        }

        return socket.CloseStatus ?? throw new InvalidOperationException("The socket closed without a status.");
    }
}
