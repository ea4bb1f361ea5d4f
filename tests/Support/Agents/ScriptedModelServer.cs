using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Coordinator.Tests.Support.Agents;

/// <summary>A call a model server has received: the route's provider, the wire's path, the body.</summary>
public sealed record ModelCall(string Provider, string Path, JsonElement Body);

/// <summary>
/// A model provider on loopback that plays <see cref="ScriptedAnswer"/>s over the OpenAI chat wire, and plain text over
/// the OpenAI responses and the Anthropic messages wires, under the route a box has: <c>/model/v1/{provider}/…</c>.
/// </summary>
public sealed class ScriptedModelServer : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly ConcurrentQueue<ModelCall> calls = new();
    private readonly ConcurrentQueue<Func<HttpResponse, Task>> instead = new();

    private ScriptedModelServer(WebApplication app) => this.app = app;

    /// <summary>What <c>AgentLaunch.ModelBaseUrl</c> is in a box.</summary>
    public Uri BaseUrl { get; private set; } = new("http://127.0.0.1");

    public IReadOnlyList<ModelCall> Calls => [.. calls];

    public static async Task<ScriptedModelServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var server = new ScriptedModelServer(builder.Build());
        server.app.MapPost("/model/v1/{provider}/{**path}", server.AnswerAsync);
        await server.app.StartAsync();
        var address = server.app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        server.BaseUrl = new Uri($"{address}/model/v1");
        return server;
    }

    /// <summary>The next call is answered so, whatever it asks.</summary>
    public void AnswerNext(int status, string body, params (string Name, string Value)[] headers) => instead.Enqueue(async response =>
    {
        response.StatusCode = status;
        response.ContentType = "application/json";
        foreach (var (name, value) in headers) response.Headers[name] = value;
        await response.WriteAsync(body);
    });

    public async ValueTask DisposeAsync()
    {
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(1), TimeProvider.System);
        await app.StopAsync(late.Token);
        await app.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context, string provider, string path)
    {
        var body = (await JsonDocument.ParseAsync(context.Request.Body)).RootElement;
        calls.Enqueue(new ModelCall(provider, path, body));
        if (instead.TryDequeue(out var other))
        {
            await other(context.Response);
            return;
        }

        var messages = new ScriptedMessages(body);
        var answer = ScriptedAnswer.To(messages.UserTexts, messages.EndsWithToolResult);
        try
        {
            if (answer is ScriptedAnswer.Fail failure)
            {
                context.Response.StatusCode = failure.Status;
                context.Response.ContentType = "application/json";
                await context.Response.WriteAsync(new JsonObject { ["error"] = new JsonObject { ["message"] = failure.Message, ["type"] = "scripted" } }.ToJsonString());
                return;
            }

            context.Response.ContentType = "text/event-stream";
            var wire = ModelWireWriter.For(path, context.Response);
            await wire.WriteAsync(answer, context.RequestAborted);
        }
        catch (OperationCanceledException)
        {
            // The agent hung up, as it does when it is cancelled.
        }
    }
}

/// <summary>The conversation in a request of any of the wires.</summary>
internal sealed class ScriptedMessages
{
    public ScriptedMessages(JsonElement body)
    {
        var list = body.TryGetProperty("messages", out var messages) ? messages
            : body.TryGetProperty("input", out var input) ? input
            : default;
        foreach (var message in list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : [])
        {
            var role = message.TryGetProperty("role", out var named) ? named.GetString() : null;
            if (role == "user")
            {
                UserTexts.Add(TextOf(message.GetProperty("content")));
                EndsWithToolResult = false;
            }
            else if (role == "tool")
            {
                EndsWithToolResult = true;
            }
        }
    }

    public List<string> UserTexts { get; } = [];

    public bool EndsWithToolResult { get; }

    private static string TextOf(JsonElement content) => content.ValueKind == JsonValueKind.String
        ? content.GetString()!
        : string.Join('\n', content.EnumerateArray().Where(part => part.TryGetProperty("text", out _)).Select(part => part.GetProperty("text").GetString()));
}
