using System.Collections.Concurrent;
using System.Text.Json;
using System.Threading.Channels;
using Coordinator.Adapters.OpenCode;
using Coordinator.Adapters.OpenCode.Launch;
using Coordinator.Ports;
using Coordinator.Ports.Compute;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Coordinator.Tests.Modules.Agents.OpenCode;

/// <summary>
/// A server with OpenCode's routes that does as it is told, and a program that claims to be it: for what the real one
/// does only by bad luck.
/// </summary>
internal sealed class StubOpenCode : IAsyncDisposable
{
    public static readonly AgentModel Model = new("demo", "scripted", ModelWire.OpenAiChat, 1000, 100);

    private readonly string home = Path.Combine(Path.GetTempPath(), $"stub-{PrefixedId.NewValue(TimeProvider.System):n}");
    private readonly WebApplication app;
    private readonly TaskCompletionSource hang = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Channel<string> events = Channel.CreateUnbounded<string>();
    private string listeningLine = "";

    private StubOpenCode(WebApplication app) => this.app = app;

    public int IgnoredHealthChecks { get; set; }

    public bool Hangs { get; set; }

    public bool Busy { get; set; }

    public string Messages { get; set; } = "[]";

    public string Permissions { get; set; } = "[]";

    public Action<string> OnPrompt { get; set; } = static _ => { };

    public Action OnAbort { get; set; } = static () => { };

    /// <summary>Every call: method and path, and the body.</summary>
    public ConcurrentQueue<(string Call, string Body)> Calls { get; } = new();

    public int Streams { get; private set; }

    public static async Task<StubOpenCode> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var stub = new StubOpenCode(builder.Build());
        stub.app.Run(stub.ServeAsync);
        await stub.app.StartAsync();
        var address = stub.app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        stub.listeningLine = $"opencode server listening on {address}";
        Directory.CreateDirectory(stub.home);
        return stub;
    }

    public static string Event(string type, string properties) => $$"""{"id":"evt_{{PrefixedId.NewValue(TimeProvider.System):n}}","type":"{{type}}","properties":{{properties}}}""";

    public static string Status(string type) => Event("session.status", $$$"""{"sessionID":"ses_1","status":{"type":"{{{type}}}"}}""");

    /// <summary>The answer's message as the store has it once it is over, with one part of text.</summary>
    public static string Answer(string text) =>
        $$$$"""{"info":{"id":"msg_zzzz","role":"assistant","sessionID":"ses_1","time":{"created":1,"completed":2},"tokens":{"input":1,"output":1,"reasoning":0,"cache":{"read":0,"write":0}}},"parts":[{"id":"prt_1","messageID":"msg_zzzz","sessionID":"ses_1","type":"text","text":"{{{{text}}}}","time":{"start":1,"end":2}}]}""";

    public void Send(string data) => events.Writer.TryWrite(data);

    /// <summary>Breaks the event stream; what is sent until it is opened again is lost.</summary>
    public void CutStream()
    {
        var cut = events;
        events = Channel.CreateUnbounded<string>();
        cut.Writer.Complete();
    }

    public async Task<OpenCodeRuntime> RuntimeAsync(OpenCodeOptions? with = null, string? script = null, TimeSpan? within = null)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "Agents", "OpenCode", "stub-opencode.sh");
        var runtime = new OpenCodeRuntime(with ?? Quick, TimeProvider.System);
        try
        {
            var environment = new Dictionary<string, string> { ["PATH"] = "/usr/bin:/bin", ["STUB_SCRIPT"] = script ?? $"echo '{listeningLine}'; echo '{OpenCodeGuard.Word}' >&2; exec sleep 600" };
            await runtime.StartAsync(new AgentLaunch(program, home, home, environment, new Uri("http://127.0.0.1:1/model/v1"), Model, false, within ?? TimeSpan.FromSeconds(30)), CancellationToken.None);
            await runtime.OpenAsync(null, CancellationToken.None);
            return runtime;
        }
        catch
        {
            await runtime.DisposeAsync();
            throw;
        }
    }

    public static OpenCodeOptions Quick { get; } = new()
    {
        RecheckInterval = TimeSpan.FromMilliseconds(20),
        SettleTimeout = TimeSpan.FromMilliseconds(200),
    };

    public async ValueTask DisposeAsync()
    {
        hang.TrySetResult();
        events.Writer.TryComplete();
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(1), TimeProvider.System);
        await app.StopAsync(late.Token);
        await app.DisposeAsync();
        Directory.Delete(home, recursive: true);
    }

    private async Task ServeAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        using var reader = new StreamReader(context.Request.Body);
        var body = await reader.ReadToEndAsync();
        Calls.Enqueue(($"{context.Request.Method} {path}", body));
        if (Hangs || (path == "/global/health" && IgnoredHealthChecks-- > 0)) await hang.Task.WaitAsync(context.RequestAborted);
        if (path == "/event") await StreamAsync(context);
        else await context.Response.WriteAsync(AnswerTo(path, body));
    }

    private string AnswerTo(string path, string body)
    {
        switch (path)
        {
            case "/global/health":
                return """{"healthy":true,"version":"0.0.1"}""";
            case "/session":
                return """{"id":"ses_1","directory":"/workspace"}""";
            case "/session/status":
                return Busy ? """{"ses_1":{"type":"busy"}}""" : "{}";
            case "/session/ses_1/message":
                return Messages;
            case "/permission":
                return Permissions;
            case "/session/ses_1/prompt_async":
                OnPrompt(JsonElement.Parse(body).Text("messageID")!);
                return "";
            case "/session/ses_1/abort":
                OnAbort();
                return "true";
            default:
                return "true";
        }
    }

    private async Task StreamAsync(HttpContext context)
    {
        Streams++;
        context.Response.ContentType = "text/event-stream";
        await context.Response.Body.FlushAsync();
        await foreach (var data in events.Reader.ReadAllAsync(context.RequestAborted))
        {
            await context.Response.WriteAsync($"data: {data}\n\n", context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }
    }
}
