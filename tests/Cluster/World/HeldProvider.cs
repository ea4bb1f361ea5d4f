using Coordinator.Tests.Support.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Coordinator.Tests.Cluster.World;

/// <summary>A provider of models that begins each answer at once, and ends it when it is told to. Each costs the same.</summary>
internal sealed class HeldProvider : IAsyncDisposable
{
    public const int InputTokens = 1_000;
    private const string Name = "held";

    private LoopbackServer server = null!;
    private TaskCompletionSource ends = NewSignal();
    private int calls;

    /// <summary>What a box calls.</summary>
    public static string Path => $"model/v1/{Name}/chat/completions";

    /// <summary>How its answers end.</summary>
    public static string End => "data: [DONE]\n\n";

    /// <summary>How often it was called, and so paid.</summary>
    public int Calls => Volatile.Read(ref calls);

    /// <summary>What makes a host use it.</summary>
    public IReadOnlyDictionary<string, string> HostSettings => new Dictionary<string, string>
    {
        [$"Models:Providers:{Name}:BaseUrl"] = server.Address.AbsoluteUri,
        [$"Models:Providers:{Name}:Auth"] = "Optional",
    };

    public static async Task<HeldProvider> StartAsync()
    {
        var provider = new HeldProvider();
        provider.server = await LoopbackServer.StartAsync(app => app.MapPost("/chat/completions", provider.AnswerAsync));
        return provider;
    }

    /// <summary>Ends the answers that were begun.</summary>
    public void LetEnd() => Interlocked.Exchange(ref ends, NewSignal()).SetResult();

    public ValueTask DisposeAsync()
    {
        LetEnd();
        return server.DisposeAsync();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task AnswerAsync(HttpContext context)
    {
        Interlocked.Increment(ref calls);
        var end = Volatile.Read(ref ends).Task;
        context.Response.ContentType = "text/event-stream";
        await context.Response.WriteAsync("data: {\"choices\":[{\"delta\":{\"content\":\"Hm\"}}]}\n\n");
        await context.Response.Body.FlushAsync();
        await end.WaitAsync(context.RequestAborted);
        await context.Response.WriteAsync($"data: {{\"choices\":[],\"usage\":{{\"prompt_tokens\":{InputTokens},\"completion_tokens\":500}}}}\n\n{End}");
    }
}
