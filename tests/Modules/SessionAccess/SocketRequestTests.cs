using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.WebSockets;
using System.Text.Json;
using Coordinator.Modules.Kernel.Authentication;
using Coordinator.Modules.Kernel.Requests;
using Coordinator.Modules.SessionAccess.Clients;
using Coordinator.Ports;
using Coordinator.Tests.Modules.Tenancy;
using Coordinator.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Coordinator.Tests.Modules.SessionAccess;

/// <summary>What is left of a request that opened a socket: it is open for hours, and its credential need not be held for as long.</summary>
public sealed class SocketRequestTests : IAsyncLifetime
{
    private readonly TaskCompletionSource<(HttpRequest Request, string Authorization)> opening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private SessionServer server = null!;
    private SessionServer.Caller ada = null!;

    public async Task InitializeAsync()
    {
        server = await SessionServer.StartAsync(app => app.Use(async (context, next) =>
        {
            if (context.WebSockets.IsWebSocketRequest) opening.TrySetResult((context.Request, context.Request.Headers.Authorization.ToString()));
            await next(context);
        }));
        ada = await server.CallerAsync();
    }

    public async Task DisposeAsync() => await server.DisposeAsync();

    [Fact]
    public async Task A_clients_open_socket_holds_nothing_of_what_its_request_said()
    {
        using var socket = await server.FollowAsync(ada, await SessionServer.CreateAsync(ada));

        await NothingIsHeldAsync(ada.Secret);

        await socket.SendAsync("""{"type":"subscribe"}""");
        await socket.NextAsync("ready");
    }

    [Fact]
    public async Task A_boxs_open_socket_holds_nothing_of_what_its_request_said()
    {
        var session = await SessionServer.CreateAsync(ada, "hello");
        var view = await ada.Http.GetAsync($"/v1/sessions/{session}").JsonAsync(200);
        Assert.True(SandboxId.TryParse(view.GetProperty("sandbox").GetProperty("id").GetString(), out var box));
        var token = new SessionServer.BoxTokens().TokenFor(new(ada.Organization, session), box, 1);
        using var socket = await server.ConnectAsync("/v1/bridge", "coordinator.bridge.v1", token);

        await NothingIsHeldAsync(token);

        await socket.SendAsync($$"""{"type":"hello","protocol":[1,1],"sandbox":"{{box}}","generation":1,"spoolId":"0123456789abcdef","messages":[],"openPermissions":[]}""");
        await socket.NextAsync("welcome");
    }

    /// <summary>A person of two organizations, whose socket would be refused when it is looked after without the one that its request named.</summary>
    [Fact]
    public async Task A_socket_stays_what_its_request_said_it_is_though_that_is_not_held()
    {
        var session = await SessionServer.CreateAsync(ada);
        server.Directory.SetRole(server.Directory.AddOrganization("Another"), ada.User, Role.Member);
        var trace = ActivityTraceId.CreateRandom();
        using var spans = new SpansOf(trace);
        using var socket = await OpenAsync(session, trace);
        await socket.SendAsync("""{"type":"subscribe"}""");
        await socket.NextAsync("ready");

        Assert.Equal("accepted", await PromptAsync(socket));
        Assert.Equal([$"SendMessage {ada.Organization}"], spans.Seen);

        server.Directory.SetRole(ada.Organization, ada.User, Role.Viewer);
        await Eventually.HoldsAsync(
            async () =>
            {
                server.Time.Advance(ClientConnection.RecheckInterval);
                return await PromptAsync(socket) == "refused role_insufficient";
            },
            "that the socket hears of its caller's new role");

        var closed = socket.ClosedAsync();
        await server.Sessions.DrainAsync(default);
        Assert.Equal(1012, (await closed).Code);
        await Eventually.HoldsAsync(() => server.Log.Text.Contains($"/v1/sessions/{session}/ws - 101", StringComparison.Ordinal), "that the log says which request has ended");
    }

    private async Task NothingIsHeldAsync(string secret)
    {
        var (request, authorization) = await Eventually.ComesAsync(opening.Task, "The request for a socket");
        Assert.Equal($"Bearer {secret}", authorization);
        await Eventually.HoldsAsync(() => request.Headers.Count == 0, "that the headers of an open socket are let go");
    }

    private async Task<SocketClient> OpenAsync(SessionId session, ActivityTraceId trace)
    {
        var cookie = await server.Authenticator.IssueBrowserSessionAsync(ada.User, TimeSpan.FromDays(1), default);
        var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("coordinator.v1");
        socket.Options.SetRequestHeader("Cookie", $"{BrowserCookie.Name}={cookie.Secret}");
        socket.Options.SetRequestHeader("Origin", server.Address.GetLeftPart(UriPartial.Authority));
        socket.Options.SetRequestHeader("Coordinator-Organization", ada.Organization.ToString());
        socket.Options.SetRequestHeader("traceparent", $"00-{trace}-{ActivitySpanId.CreateRandom()}-01");
        await socket.ConnectAsync(new UriBuilder(new Uri(server.Address, $"/v1/sessions/{session}/ws")) { Scheme = "ws" }.Uri, default).WaitAsync(SocketClient.Bound);
        return new(socket);
    }

    private static async Task<string> PromptAsync(SocketClient socket)
    {
        await socket.SendAsync($$"""{"type":"prompt","clientId":"{{ActivitySpanId.CreateRandom()}}","text":"hello"}""");
        while (true)
        {
            var frame = await socket.NextAsync();
            var type = frame.GetProperty("type").GetString();
            if (type == "accepted") return type;
            if (type == "refused") return $"{type} {frame.GetProperty("code").GetString()}";
        }
    }

    /// <summary>The use cases of one trace, with the organization that each was for.</summary>
    private sealed class SpansOf : IDisposable
    {
        private readonly ConcurrentQueue<string> seen = new();
        private readonly ActivityListener listener;

        public SpansOf(ActivityTraceId trace)
        {
            listener = new()
            {
                ShouldListenTo = static source => source.Name == RequestTracing.SourceName,
                Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
                ActivityStopped = span =>
                {
                    if (span.TraceId == trace) seen.Enqueue($"{span.DisplayName} {span.GetTagItem("coordinator.organization")}");
                },
            };
            ActivitySource.AddActivityListener(listener);
        }

        public IEnumerable<string> Seen => seen;

        public void Dispose() => listener.Dispose();
    }
}
