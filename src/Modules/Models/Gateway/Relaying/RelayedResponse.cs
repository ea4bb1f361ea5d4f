using Coordinator.Ports.Models.Relaying;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Coordinator.Modules.Models.Gateway.Relaying;

/// <summary>
/// Stands in for the response of a call whose box asked for the relayed form. The box is answered at once, and what the handler
/// then answers goes out as frames: its status and headers as the head, its body as data. The end is written when the handler has ended
/// by itself; where it broke the call off there is none.
/// </summary>
internal sealed class RelayedResponse : HttpResponseFeature, IHttpRequestLifetimeFeature, IDisposable
{
    private readonly IHttpRequestLifetimeFeature lifetime;
    private readonly RelayedBody body;
    private volatile bool isCut;

    private RelayedResponse(IHttpResponseBodyFeature outer, IHttpRequestLifetimeFeature lifetime)
    {
        this.lifetime = lifetime;
        body = new(outer.Writer, () => new(StatusCode, Headers.ToDictionary(header => header.Key, header => header.Value.Select(value => value ?? string.Empty).ToArray())));
    }

    /// <summary>True once the head is on its way.</summary>
    public override bool HasStarted => body.HasBegun;

    public CancellationToken RequestAborted
    {
        get => lifetime.RequestAborted;
        set => lifetime.RequestAborted = value;
    }

    /// <summary>True when the caller asks for the form.</summary>
    public static bool IsAsked(HttpContext context) => string.Equals(context.Request.Headers[RelayedAnswer.RequestHeader], RelayedAnswer.Form, StringComparison.OrdinalIgnoreCase);

    /// <summary>Has the call answered, in the form when its box asks for it.</summary>
    public static async Task ServeAsync(HttpContext context, TimeProvider time, Func<Task> answer)
    {
        if (!IsAsked(context))
        {
            await answer();
            return;
        }

        var outer = context.Features.GetRequiredFeature<IHttpResponseFeature>();
        var outerBody = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        using var relayed = new RelayedResponse(outerBody, context.Features.GetRequiredFeature<IHttpRequestLifetimeFeature>());
        outer.Headers.ContentType = RelayedAnswer.ContentType;
        outer.Headers.CacheControl = "no-store";
        outer.Headers["X-Accel-Buffering"] = "no"; // a proxy that kept pings back would have every call left
        outerBody.DisableBuffering();
        await relayed.body.PingAsync();

        context.Features.Set<IHttpResponseFeature>(relayed);
        context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(relayed.body));
        context.Features.Set<IHttpRequestLifetimeFeature>(relayed);
        try
        {
            await relayed.PingWhileAsync(answer, time);
            if (relayed.isCut) return;
            await context.Response.CompleteAsync();
            await relayed.body.EndAsync(context.RequestAborted);
        }
        finally
        {
            context.Features.Set(outer);
            context.Features.Set(outerBody);
            context.Features.Set(relayed.lifetime);
        }
    }

    /// <summary>Breaks the connection off, and with it the answer: it is not given its end.</summary>
    public void Abort()
    {
        isCut = true;
        lifetime.Abort();
    }

    public void Dispose() => body.Dispose();

    private async Task PingWhileAsync(Func<Task> answer, TimeProvider time)
    {
        using var timer = new PeriodicTimer(RelayedAnswer.PingEvery, time);
        var pinging = PingAsync(timer);
        try
        {
            await answer();
        }
        finally
        {
            timer.Dispose();
            await pinging;
        }
    }

    private async Task PingAsync(PeriodicTimer timer)
    {
        while (await timer.WaitForNextTickAsync()) await body.PingAsync();
    }
}
