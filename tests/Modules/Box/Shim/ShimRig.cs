using System.Text;
using Coordinator.Ports.Models.Relaying;
using Coordinator.Sandbox;
using Coordinator.Sandbox.Events;
using Coordinator.Sandbox.HostLink;
using Coordinator.Sandbox.Shim;
using Coordinator.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using HttpServer = Coordinator.Tests.Support.Http.LoopbackServer;

namespace Coordinator.Tests.Modules.Box.Shim;

/// <summary>The box's model route before a host that answers as a test says, by a clock that the test moves.</summary>
internal sealed class ShimRig : IAsyncDisposable
{
    /// <summary>Longer than all that a call waits for, and shorter than what is waited for an agent.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(20);

    /// <summary>Between two tries nothing is on its way.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    private readonly TaskCompletionSource over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Queue<Func<HttpContext, Task>> script = new();
    private readonly List<IDisposable> owned = [];
    private HttpServer hosts = null!;
    private LoopbackServer shim = null!;
    private int calls;
    private int standing;
    private int passed;

    public ManualTime Time { get; } = new();

    /// <summary>Calls that came to a host.</summary>
    public int Calls => Volatile.Read(ref calls);

    /// <summary>Answers what the script does not.</summary>
    public Func<HttpContext, Task> Otherwise { get; set; } = context => context.Response.WriteAsync("{}");

    /// <param name="relays">Whether hosts say that they answer at once.</param>
    public static async Task<ShimRig> StartAsync(bool relays = true)
    {
        var rig = new ShimRig();
        rig.hosts = await HttpServer.StartAsync(app =>
        {
            app.MapPost("/v1/bridge/gateway-token", () => relays ? Results.Json(new { token = "gt_1", expiresAt = rig.Time.GetUtcNow().AddDays(1), relaysAnswers = true }) : Results.Json(new { token = "gt_1", expiresAt = rig.Time.GetUtcNow().AddDays(1) }));
            app.MapPost("/model/v1/{**path}", rig.AnswerAsync);
        });
        var host = rig.Own(new HostConnection(HostEndpoint.TryParse(rig.hosts.Address.ToString())!, "sb_x"));
        var redactor = new Redactor();
        var token = rig.Own(new GatewayToken(host, redactor, rig.Time));
        var log = new BoxLog(TextWriter.Null, rig.Time);
        rig.shim = new(new ModelRoute(new HostCaller(host, token, rig.Time, log), log), new EgressProxy(new EgressTunnel(host, rig.Time), rig.Time), new CredentialRoute(new GitCredentials(host, redactor, rig.Time)), rig.Time, log);
        return rig;
    }

    /// <summary>The next calls are answered so, in order.</summary>
    public void Enqueue(params Func<HttpContext, Task>[] answers)
    {
        lock (script) Array.ForEach(answers, script.Enqueue);
    }

    /// <summary>A status and nothing else, as a load balancer answers.</summary>
    public static Func<HttpContext, Task> Plain(int status) => context =>
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    };

    /// <summary>Frames, and then its end.</summary>
    public static Func<HttpContext, Task> Relayed(Action<System.IO.Pipelines.PipeWriter> frames) => context =>
    {
        context.Response.ContentType = RelayedAnswer.ContentType;
        frames(context.Response.BodyWriter);
        return Task.CompletedTask;
    };

    /// <summary>Frames, and then nothing any more.</summary>
    public Func<HttpContext, Task> Hangs(Action<System.IO.Pipelines.PipeWriter> frames) => async context =>
    {
        await Relayed(frames)(context);
        await context.Response.BodyWriter.FlushAsync();
        StandsStill();
        await over.Task;
    };

    /// <summary>Not even that it is there.</summary>
    public Task SaysNothingAsync(HttpContext context)
    {
        StandsStill();
        return over.Task.WaitAsync(context.RequestAborted);
    }

    /// <summary>Answers when so much time has passed.</summary>
    public Func<HttpContext, Task> After(TimeSpan wait, string answer) => async context =>
    {
        var waiting = Task.Delay(wait, Time, context.RequestAborted);
        StandsStill();
        await waiting;
        await context.Response.WriteAsync(answer);
    };

    /// <summary>An answer that is whole.</summary>
    public static void Whole(System.IO.Pipelines.PipeWriter output)
    {
        RelayedAnswer.WritePing(output);
        RelayedAnswer.WriteHead(output, new(200, new Dictionary<string, string[]> { ["Content-Type"] = ["text/plain"] }));
        RelayedAnswer.WriteData(output, "whole"u8);
        RelayedAnswer.WriteEnd(output);
    }

    /// <summary>An agent's call; the answer is still to be read.</summary>
    public Task<HttpResponseMessage> CallAsync()
    {
        var invoker = Own(new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false }));
        var request = Own(new HttpRequestMessage(HttpMethod.Post, new Uri($"http://127.0.0.1:{shim.Port}/model/v1/demo/messages")) { Content = new StringContent("{}", Encoding.UTF8, "application/json") });
        return invoker.SendAsync(request, CancellationToken.None);
    }

    /// <summary>
    /// Lets time pass, from one thing that is due to the next, until a call that has come to a host is over; much of it only where a host
    /// stands still, and once for each, since what is on its way takes no time by this clock.
    /// </summary>
    public async Task PassAsync(Task calling)
    {
        await Eventually.HoldsAsync(() => Calls > 0, "the call");
        await Eventually.HoldsAsync(
            () =>
            {
                if (!calling.IsCompleted && Time.NextIn is { } due && MayPass(due)) Time.Advance(due);
                return calling.IsCompleted;
            },
            "the end of the call");
    }

    public async ValueTask DisposeAsync()
    {
        over.TrySetResult();
        await shim.DisposeAsync();
        foreach (var one in Enumerable.Reverse(owned)) one.Dispose();
        await hosts.DisposeAsync();
    }

    private void StandsStill() => Volatile.Write(ref standing, Calls);

    private bool MayPass(TimeSpan due)
    {
        if (due <= LongestPause) return true;
        var call = Volatile.Read(ref standing);
        if (due > LongestWait || call == passed) return false;
        passed = call;
        return true;
    }

    private Task AnswerAsync(HttpContext context)
    {
        Interlocked.Increment(ref calls);
        lock (script) return (script.TryDequeue(out var next) ? next : Otherwise)(context);
    }

    private T Own<T>(T one)
        where T : IDisposable
    {
        owned.Add(one);
        return one;
    }
}
