using System.Net;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.RegularExpressions;
using Coordinator.Cli.Journey;
using Coordinator.Tests.Support.Http;
using Xunit;

namespace Coordinator.Tests.Journey;

/// <summary>Two organizations on one host: what the one has is not there for the other, whichever route asks for it.</summary>
[Collection(JourneyHost.Collection)]
public sealed partial class TenantIsolationTests(JourneyHost host)
{
    /// <summary>A turn, with the start of the box before it when it is the session's first.</summary>
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(120);
    private static readonly string[] Methods = ["get", "post", "put", "patch", "delete"];

    [Fact]
    public async Task Any_signed_in_user_can_read_any_session_not_here_on_no_route_of_the_api()
    {
        var run = await host.SharedSessionAsync();
        var session = run.Session.Id;
        var message = await FinishedMessageAsync(run);
        var runs = await host.Http.GetFromJsonAsync<JsonElement>($"/v1/runs?session={session}");
        var ids = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["session"] = session, ["message"] = message, ["run"] = runs.GetProperty("items")[0].GetProperty("id").GetString()!,
        };
        var before = await host.Http.GetStringAsync($"/v1/sessions/{session}");
        using var stranger = await StrangerAsync();
        var routes = await RoutesWithSomebodysIdAsync(ids);
        Assert.True(routes.Count >= 12, $"Only {routes.Count} routes name a session or a run.");

        var told = new List<string>();
        foreach (var (method, path, body) in routes)
        {
            using var request = new HttpRequestMessage(new(method.ToUpperInvariant()), path) { Content = body is null ? null : JsonContent.Create(body.Value) };
            using var answer = await stranger.SendAsync(request);
            if (answer.StatusCode != HttpStatusCode.NotFound) told.Add($"{method} {path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        }

        Assert.Empty(told);
        Assert.Equal(before, await host.Http.GetStringAsync($"/v1/sessions/{session}"));
    }

    [Theory]
    [InlineData("/v1/sessions")]
    [InlineData("/v1/runs")]
    [InlineData("/v1/secrets")]
    public async Task Lists_of_an_organization_hold_nothing_of_another(string list)
    {
        var run = await host.SharedSessionAsync();
        await FinishedMessageAsync(run);
        using var put = await host.Http.PutAsJsonAsync("/v1/secrets/models/openai", new { value = "sk-of-the-first-organization" });
        put.EnsureSuccessStatusCode();
        using var stranger = await StrangerAsync();

        var own = await host.Http.GetFromJsonAsync<JsonElement>(list);
        var theirs = await stranger.GetFromJsonAsync<JsonElement>(list);

        Assert.NotEmpty(own.GetProperty("items").EnumerateArray());
        Assert.Empty(theirs.GetProperty("items").EnumerateArray());
        using var deleted = await host.Http.DeleteAsync("/v1/secrets/models/openai");
        deleted.EnsureSuccessStatusCode();
    }

    [Fact]
    public async Task A_socket_of_anothers_session_is_not_opened()
    {
        var run = await host.SharedSessionAsync();
        using var limit = new CancellationTokenSource(Bound);
        using var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("coordinator.v1");
        socket.Options.SetRequestHeader("Authorization", $"Bearer {await host.StrangerKeyAsync()}");

        await socket.ConnectAsync(new UriBuilder(new Uri(host.Process.Url, $"/v1/sessions/{run.Session.Id}/ws")) { Scheme = "ws" }.Uri, limit.Token);
        await socket.SendAsync("{\"type\":\"subscribe\"}"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, limit.Token);
        var first = await socket.ReceiveAsync(new byte[1024], limit.Token);

        Assert.Equal((WebSocketMessageType.Close, 4404), (first.MessageType, (int?)socket.CloseStatus));
    }

    [Fact]
    public async Task A_header_that_names_anothers_organization_is_answered_as_one_that_is_not_there()
    {
        var me = await host.Http.GetFromJsonAsync<JsonElement>("/v1/me");
        using var stranger = await StrangerAsync();
        stranger.DefaultRequestHeaders.Add("Coordinator-Organization", me.GetProperty("organization").GetProperty("id").GetString());

        using var answer = await stranger.GetAsync("/v1/sessions");

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    /// <summary>Every operation of the API whose path names something of a session or run, with real ids and a plausible body.</summary>
    private async Task<IReadOnlyList<(string Method, string Path, JsonElement? Body)>> RoutesWithSomebodysIdAsync(Dictionary<string, string> ids)
    {
        var document = await host.Http.GetFromJsonAsync<JsonElement>("/openapi/v1.json");
        return [.. document.GetProperty("paths").EnumerateObject()
            .Where(path => path.Name.StartsWith("/v1/sessions/{", StringComparison.Ordinal) || path.Name.StartsWith("/v1/runs/{", StringComparison.Ordinal))
            .SelectMany(path => path.Value.EnumerateObject().Where(operation => Methods.Contains(operation.Name)).Select(operation => (
                operation.Name,
                Placeholder().Replace(path.Name, match => Filled(path.Name, match.Groups[1].Value, ids)),
                operation.Value.TryGetProperty("requestBody", out _) ? JsonSerializer.SerializeToElement(new { text = "hello", title = "Mine now", before = (string?)null, decision = "once" }) : (JsonElement?)null)))];
    }

    private static string Filled(string path, string parameter, Dictionary<string, string> ids) => parameter switch
    {
        "messageId" => ids["message"],
        "sha256" => new('a', 64),
        "permissionId" => "per_none",
        _ => path.StartsWith("/v1/runs/", StringComparison.Ordinal) ? ids["run"] : ids["session"],
    };

    private async Task<HttpClient> StrangerAsync()
    {
        var http = TestHttp.Client(host.Process.Url);
        http.DefaultRequestHeaders.Authorization = new("Bearer", await host.StrangerKeyAsync());
        return http;
    }

    private static async Task<string> FinishedMessageAsync(JourneyRun run)
    {
        var message = await run.PromptAsync("Say hello.", CancellationToken.None);
        await run.EndAsync(message, "message.completed", Bound, CancellationToken.None);
        await run.WaitAsync("the run in the history", e => e.MessageId == message && e.Type == "run.flushed", Bound, CancellationToken.None);
        return message;
    }

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex Placeholder();
}
