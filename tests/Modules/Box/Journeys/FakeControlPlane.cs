using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Coordinator.Tests.Modules.Box.Journeys;

/// <summary>
/// A control plane on a unix socket that keeps the rules of the bridge protocol: it takes events in order, once, and
/// acknowledges them. It can be stopped and started again over what it has, as a host that restarts.
/// </summary>
internal sealed class FakeControlPlane(string socket) : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly ConcurrentDictionary<string, byte[]> artifacts = new();
    private readonly List<JsonElement> events = [];
    private readonly Lock gate = new();
    private readonly SemaphoreSlim changed = new(0);
    private WebApplication? app;
    private WebSocket? bridge;
    private string spoolId = "";
    private long cursor;

    public JsonObject Config { get; } = new() { ["repository"] = null, ["agent"] = "scripted", ["model"] = JsonNode.Parse("""{"provider":"demo","model":"scripted","wire":"openAiChat","contextTokens":1000,"outputTokens":100}"""), ["permissions"] = "auto", ["install"] = true };

    /// <summary>Answers model calls.</summary>
    public Func<HttpContext, Task> Model { get; set; } = context => context.Response.WriteAsync("{}");

    /// <summary>Set: the bridge is answered with this status.</summary>
    public int? Refuse { get; set; }

    /// <summary>Welcomes say that so many more events are known than there ever were, as to a box whose disk went back.</summary>
    public long Ahead { get; set; }

    public bool Acknowledges { get; set; } = true;

    public Func<string, int, (string Host, int Port)?> Egress { get; set; } = (_, _) => null;

    public Dictionary<string, (string User, string Password)> Credentials { get; } = [];

    public IReadOnlyDictionary<string, byte[]> Artifacts => artifacts;

    public int TokensMinted { get; private set; }

    public List<JsonElement> Events
    {
        get
        {
            lock (gate) return [.. events];
        }
    }

    /// <summary>False: where credentials are kept is away.</summary>
    public bool KeepsCredentials { get; set; } = true;

    public List<JsonElement> Hellos { get; } = [];

    public async Task StartAsync()
    {
        File.Delete(socket);
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(socket));
        builder.Logging.ClearProviders();
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromMilliseconds(100));
        app = builder.Build();
        app.UseWebSockets();
        app.Map("/v1/bridge", BridgeAsync);
        app.MapPost("/v1/bridge/gateway-token", () => Results.Json(new { token = $"gt_{++TokensMinted}", expiresAt = TimeProvider.System.GetUtcNow().AddMinutes(15) }));
        app.MapPost("/model/v1/{**path}", context => Model(context));
        app.MapGet("/v1/bridge/git-credential", (string host) => !KeepsCredentials ? Results.StatusCode(503) : Credentials.TryGetValue(host, out var found) ? Results.Json(new { username = found.User, password = found.Password }) : Results.NotFound());
        app.MapPut("/v1/bridge/artifacts/{sha256}", async (string sha256, HttpContext context) =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            artifacts[sha256] = body.ToArray();
        });
        app.MapGet("/v1/bridge/egress", EgressAsync);
        await app.StartAsync();
    }

    /// <summary>Goes away as a killed process does: sockets break, and nothing is said.</summary>
    public async Task KillAsync()
    {
        WebSocket? killed;
        lock (gate) (killed, bridge) = (bridge, null);
        killed?.Abort();
        if (app is not null) await app.DisposeAsync();
        app = null;
    }

    public Task RequestAsync(string method, object parameters) => SendAsync(JsonSerializer.Serialize(new { type = "request", id = $"r{Guid.CreateVersion7()}", method, @params = parameters }));

    public Task PromptAsync(string message, string text = "do it", string? history = null) => RequestAsync("prompt", new { messageId = message, text, agent = "scripted", history, model = Config["model"] });

    public Task SendAsync(string frame) => SendAsync(bridge!, frame);

    public Task CloseAsync(int code) => bridge!.CloseOutputAsync((WebSocketCloseStatus)code, "test", CancellationToken.None);

    /// <summary>The data of the first event that fits, now or within the bound.</summary>
    public async Task<JsonElement> EventAsync(string kind, Func<JsonElement, bool>? fits = null)
    {
        var found = default(JsonElement);
        await UntilAsync($"a {kind} comes", () =>
        {
            found = Events.FirstOrDefault(happened => happened.GetProperty("kind").GetString() == kind && (fits is null || fits(happened.GetProperty("data"))));
            return found.ValueKind != JsonValueKind.Undefined;
        });
        return found.GetProperty("data");
    }

    /// <summary>Waits until so many connections were welcomed.</summary>
    public Task WelcomedAsync(int connections) => UntilAsync($"{connections} connections are welcomed", () => Hellos.Count >= connections);

    private async Task UntilAsync(string what, Func<bool> holds)
    {
        using var timeout = new CancellationTokenSource(Patience);
        while (!holds())
        {
            try
            {
                await changed.WaitAsync(timeout.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"Waited in vain until {what}. There were: {string.Join('\n', Events.Select(happened => happened.GetRawText()[..Math.Min(200, happened.GetRawText().Length)]))}");
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        changed.Dispose();
    }

    private async Task BridgeAsync(HttpContext context)
    {
        if (Refuse is { } status || !context.Request.Headers.Authorization.ToString().StartsWith("Bearer sb_", StringComparison.Ordinal))
        {
            context.Response.StatusCode = Refuse ?? 401;
            return;
        }

        using var accepted = await context.WebSockets.AcceptWebSocketAsync("coordinator.bridge.v1");
        lock (gate) bridge = accepted;
        var buffer = new byte[512 * 1024];
        try
        {
            while (await ReadAsync(accepted, buffer) is { } frame) await TakeAsync(accepted, frame);
        }
        catch (Exception exception) when (exception is WebSocketException or OperationCanceledException or IOException)
        {
            return;
        }
    }

    private async Task TakeAsync(WebSocket connection, JsonElement frame)
    {
        switch (frame.GetProperty("type").GetString())
        {
            case "hello":
                var offered = frame.GetProperty("spoolId").GetString()!;
                if (offered != spoolId) (spoolId, cursor) = (offered, 0);
                await SendAsync(connection, new JsonObject { ["type"] = "welcome", ["protocol"] = 1, ["incarnation"] = 1, ["spoolId"] = spoolId, ["ackedN"] = cursor + Ahead, ["config"] = Config.DeepClone() }.ToJsonString());
                Hellos.Add(frame);
                changed.Release();
                break;
            case "event":
                if (Take(connection, frame.GetProperty("n").GetInt64(), frame) && Acknowledges) await SendAsync(connection, $$"""{"type":"ack","n":{{cursor}}}""");
                break;
        }
    }

    /// <summary>False: the connection is one of a process that was killed, which reads nothing more, whatever it had received.</summary>
    private bool Take(WebSocket connection, long n, JsonElement frame)
    {
        lock (gate)
        {
            if (connection != bridge) return false;
            if (n > cursor + 1) throw new InvalidOperationException($"A gap before {n}.");
            if (n <= cursor) return true;
            events.Add(frame);
            cursor = n;
        }

        changed.Release();
        return true;
    }

    private static Task SendAsync(WebSocket connection, string frame) => connection.SendAsync(Encoding.UTF8.GetBytes(frame), WebSocketMessageType.Text, true, CancellationToken.None);

    private static async Task<JsonElement?> ReadAsync(WebSocket socket, byte[] buffer)
    {
        var length = 0;
        while (true)
        {
            var result = await socket.ReceiveAsync(buffer.AsMemory(length), CancellationToken.None);
            if (result.MessageType == WebSocketMessageType.Close) return null;
            length += result.Count;
            if (result.EndOfMessage) return JsonDocument.Parse(buffer.AsMemory(0, length).ToArray()).RootElement;
        }
    }

    private async Task EgressAsync(HttpContext context)
    {
        if (Egress(context.Request.Query["host"]!, int.Parse(context.Request.Query["port"]!, System.Globalization.CultureInfo.InvariantCulture)) is not { } target)
        {
            await Results.Problem(statusCode: 403, detail: $"{context.Request.Query["host"]} is not allowed.").ExecuteAsync(context);
            return;
        }

        using var outside = new TcpClient();
        await outside.ConnectAsync(target.Host, target.Port);
        await using var inside = await context.Features.Get<IHttpUpgradeFeature>()!.UpgradeAsync();
        var stream = outside.GetStream();
        await Task.WhenAny(inside.CopyToAsync(stream), stream.CopyToAsync(inside));
    }
}
