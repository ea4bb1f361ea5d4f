using System.Net.Http.Headers;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Coordinator.Tests.Modules.Tenancy;
using Xunit;

namespace Coordinator.Tests.Modules.SessionAccess;

/// <summary>What an operator reads of those who come while a host refuses them.</summary>
public sealed class StoppingServerTests : ServedTests
{
    [Fact]
    public async Task Who_comes_to_a_host_that_was_told_to_stop_is_sent_away_and_no_warning_to_anybody()
    {
        var session = await SessionServer.CreateAsync(Ada);
        using var socket = await Server.FollowAsync(Ada, session);
        await Server.Sessions.DrainAsync(default);

        await StreamAsync(session).RefusedAsync(503, "dependency_unavailable");
        await Ada.Http.PostAsync($"/v1/sessions/{session}/messages", new { text = "too late" }).RefusedAsync(503, "dependency_unavailable");
        await DialAsync(session).RefusedAsync(503, "dependency_unavailable");
        await socket.SendAsync("""{"type":"subscribe"}""");
        Assert.Equal(1012, (await socket.ClosedAsync()).Code);

        Assert.DoesNotContain(Lines("Warning"), line => line.Contains("something behind a port", StringComparison.Ordinal));
        Assert.Equal(4, Lines("Debug").Count(line => line.Contains("something behind a port is Unavailable", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task What_fails_without_having_been_told_to_is_warned_of()
    {
        var session = await SessionServer.CreateAsync(Ada);
        Server.Journal.Faults.FailBefore();

        await StreamAsync(session).RefusedAsync(503, "dependency_unavailable");

        Assert.Contains($"GET /v1/sessions/{session}/events: something behind a port is Unavailable", Assert.Single(Lines("Warning"), line => line.Contains("something behind a port", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    private IEnumerable<string> Lines(string level) => Server.Log.Text.Split('\n').Where(line => line.StartsWith($"{level} ", StringComparison.Ordinal));

    private async Task<HttpResponseMessage> StreamAsync(SessionId session)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/sessions/{session}/events");
        request.Headers.Accept.Add(new("text/event-stream"));
        return await Ada.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    /// <summary>As a box does.</summary>
    private async Task<HttpResponseMessage> DialAsync(SessionId session)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/bridge");
        var token = new SessionServer.BoxTokens().TokenFor(new(Ada.Organization, session), SandboxId.New(Server.Time), 1);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return await Ada.Http.SendAsync(request);
    }
}
