using System.Text.Json;
using Coordinator.Tests.Support.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Coordinator.Tests.Cluster.World;

/// <summary>A provider of models that never gets done with the first call of a turn, and answers all others at once.</summary>
internal sealed class StuckProvider : IAsyncDisposable
{
    public const string Model = "stuck/first";
    private const string Name = "stuck";

    private readonly bool begins;
    private readonly TaskCompletionSource came = NewSignal();
    private readonly TaskCompletionSource over = NewSignal();
    private LoopbackServer server = null!;
    private int calls;

    private StuckProvider(bool begins) => this.begins = begins;

    /// <summary>Completes when the first call is under way.</summary>
    public Task Came => came.Task;

    /// <summary>How often it was called for a turn.</summary>
    public int Calls => Volatile.Read(ref calls);

    /// <summary>What makes a host use it.</summary>
    public IReadOnlyDictionary<string, string> HostSettings => new Dictionary<string, string>
    {
        [$"Models:Providers:{Name}:BaseUrl"] = server.Address.AbsoluteUri,
        [$"Models:Providers:{Name}:Auth"] = "Optional",
    };

    /// <param name="begins">The first answer is begun, and does not end.</param>
    public static async Task<StuckProvider> StartAsync(bool begins)
    {
        var provider = new StuckProvider(begins);
        provider.server = await LoopbackServer.StartAsync(app => app.MapPost("/chat/completions", provider.AnswerAsync));
        return provider;
    }

    public ValueTask DisposeAsync()
    {
        over.TrySetResult();
        return server.DisposeAsync();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task AnswerAsync(HttpContext context)
    {
        using var asked = await JsonDocument.ParseAsync(context.Request.Body);
        var isOfTurn = asked.RootElement.TryGetProperty("tools", out _); // an agent may also ask for a title
        var isFirst = isOfTurn && Interlocked.Increment(ref calls) == 1;
        context.Response.ContentType = "text/event-stream";
        if (!isFirst || begins) await SayAsync(context, """{"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":"Here I am."},"finish_reason":null}]}""");
        if (isFirst)
        {
            came.SetResult();
            await over.Task.WaitAsync(context.RequestAborted);
            return;
        }

        await SayAsync(context, """{"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}""");
        await SayAsync(context, "[DONE]");
    }

    private static async Task SayAsync(HttpContext context, string data)
    {
        await context.Response.WriteAsync($"data: {data}\n\n");
        await context.Response.Body.FlushAsync();
    }
}
