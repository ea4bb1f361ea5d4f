using System.Collections.Concurrent;
using System.Globalization;
using Coordinator.Fakes;
using Coordinator.Tests.Support.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Coordinator.Tests.Conformance.ModelGateway;

/// <summary>What the peer was sent.</summary>
internal sealed record ReceivedCall(string Path, IReadOnlyDictionary<string, string> Headers, string Body);

/// <summary>A provider on loopback, over real HTTP, that answers by a script.</summary>
internal sealed class UpstreamPeer : IAsyncDisposable
{
    private readonly ConcurrentQueue<ModelAnswer> script = new();
    private readonly ConcurrentQueue<ReceivedCall> calls = new();
    private readonly SemaphoreSlim arrived = new(0);
    private LoopbackServer? server;
    private int open;

    public Uri Address { get; private set; } = null!;

    public IReadOnlyList<ReceivedCall> Calls => [.. calls];

    public int Open => Volatile.Read(ref open);

    public static async Task<UpstreamPeer> StartAsync()
    {
        var peer = new UpstreamPeer();
        peer.server = await LoopbackServer.StartAsync(app => app.Run(peer.AnswerAsync));
        peer.Address = peer.server.Address;
        return peer;
    }

    public void Enqueue(ModelAnswer answer) => script.Enqueue(answer);

    /// <summary>Waits for the next call to arrive.</summary>
    public async Task ArrivedAsync() => Xunit.Assert.True(await arrived.WaitAsync(TimeSpan.FromSeconds(20)), "No call arrived.");

    public async Task StopAsync()
    {
        if (Interlocked.Exchange(ref server, null) is { } running) await running.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        arrived.Dispose();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        using var body = new StreamReader(context.Request.Body);
        calls.Enqueue(new(context.Request.Path + context.Request.QueryString, context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase), await body.ReadToEndAsync()));
        if (!script.TryDequeue(out var answer)) answer = ModelAnswer.Json(200, "{}");
        Interlocked.Increment(ref open);
        arrived.Release();
        try
        {
            await WriteAsync(context, answer);
        }
        catch (OperationCanceledException)
        {
            // The caller left.
        }
        finally
        {
            Interlocked.Decrement(ref open);
        }
    }

    private static async Task WriteAsync(HttpContext context, ModelAnswer answer)
    {
        // Without any piece not even the headers come before the gate opens.
        if (answer.Pieces.Count == 0 && answer.Gate is { } silent) await silent.WaitAsync(context.RequestAborted);
        context.Response.StatusCode = answer.Status;
        context.Response.ContentType = answer.ContentType;
        if (answer.RetryAfter is { } wait) context.Response.Headers.RetryAfter = ((int)wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        if (answer.Status is >= 300 and < 400) context.Response.Headers.Location = "/elsewhere";
        for (var i = 0; i < answer.Pieces.Count; i++)
        {
            if (i > 0 && i == answer.Pieces.Count - 1 && answer.Gate is { } gate) await gate.WaitAsync(context.RequestAborted);
            await context.Response.Body.WriteAsync(answer.Pieces[i], context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }

        if (answer.CutAtEnd) context.Abort();
    }
}
