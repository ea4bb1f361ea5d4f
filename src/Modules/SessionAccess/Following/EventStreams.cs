using System.Globalization;
using System.Text;
using Coordinator.Modules.Kernel.Authentication;
using Coordinator.Modules.Kernel.Http;
using Coordinator.Ports;
using Coordinator.Ports.Session;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Coordinator.Modules.SessionAccess.Following;

/// <summary>
/// Server-sent events of a session: what the journal holds after the cursor, then live. A follower that falls behind or takes nothing, a
/// host that restarts and a credential that is no longer valid all end the stream; the client resumes at its last id.
/// </summary>
internal sealed partial class EventStreams(ISessionHost sessions, ISessionJournal journal, CallerResolver callers, ReturnSchedule schedule, TimeProvider time, ILogger<EventStreams> logger)
{
    internal static readonly TimeSpan PingInterval = TimeSpan.FromSeconds(5);
    internal static readonly TimeSpan RecheckInterval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LeastRetry = TimeSpan.FromSeconds(0.5);

    private readonly ReturnSchedule returns = schedule;

    /// <summary>Subscribes before the answer begins, so that a refusal is still a problem.</summary>
    public async Task<IResult> OpenAsync(HttpContext context, SessionKey key, SessionCursor? after, CancellationToken cancellationToken)
    {
        if (after is null)
        {
            if (await journal.FindHeadAsync(key, cancellationToken) is not { } head) return SessionProblems.NotFound.ToHttp();
            after = new SessionCursor(head.Incarnation, head.Floor);
        }

        var subscription = await sessions.SubscribeAsync(key, after, cancellationToken);
        return subscription.IsSuccess ? new Stream(this, subscription.Value, new(context.Features.GetRequiredFeature<CallerClaim>(), key.Organization), after.Value.Incarnation) : subscription.Problem.ToHttp();
    }

    private async Task FollowAsync(HttpContext context, ISessionSubscription subscription, Follower follower, int incarnation)
    {
        PassOnAtOnce(context);
        var output = new StreamOutput(context, incarnation, time);
        if (!await output.SendAsync(": following\n\n"u8)) return;

        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        var batches = subscription.ReadAsync(ended.Token).GetAsyncEnumerator(ended.Token);
        var next = batches.MoveNextAsync().AsTask();
        Task<bool>? checking = null; // beside the pings: what it asks may be away for longer than a reader waits for one
        try
        {
            var checkedAt = time.GetTimestamp();
            while (true)
            {
                var arrived = await ArrivedAsync(next, checking, context.RequestAborted);
                if (arrived && !await next)
                {
                    if (subscription.Closed is SubscriptionCloseReason.HostRestarting) await SayWhenToReturnAsync(output);
                    return;
                }

                if (checking is null && time.GetElapsedTime(checkedAt) >= RecheckInterval) checking = StillAllowedAsync(follower, ended.Token);
                if (checking is { IsCompleted: true })
                {
                    if (!await checking) return;
                    (checking, checkedAt) = (null, time.GetTimestamp());
                }

                if (!await (arrived ? output.SendAsync(batches.Current) : output.SendAsync(": ping\n\n"u8))) return;
                if (arrived) next = batches.MoveNextAsync().AsTask();
            }
        }
        finally
        {
            await ended.CancelAsync();
            await Task.WhenAll(next, checking ?? Task.CompletedTask).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await batches.DisposeAsync();
        }
    }

    private static void PassOnAtOnce(HttpContext context)
    {
        var response = context.Response;
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-store";
        response.Headers["X-Accel-Buffering"] = "no";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
    }

    /// <summary>
    /// The field that every reader of event streams knows: how long to wait before the next connection. A browser keeps it for every
    /// later one too, so it is never so short that a page asks a host that is away without a pause.
    /// </summary>
    private ValueTask<bool> SayWhenToReturnAsync(StreamOutput output)
    {
        var wait = LeastRetry + returns.Next();
        return output.SendAsync(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"retry: {(long)wait.TotalMilliseconds}\n\n")));
    }

    /// <summary>True: a batch is there, or the subscription ended. False: nothing came for a while, and a ping is due, or it is known whether the reader is still allowed.</summary>
    private async ValueTask<bool> ArrivedAsync(Task<bool> next, Task<bool>? checking, CancellationToken cancellationToken)
    {
        if (next.IsCompleted) return true;
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var pause = Task.Delay(PingInterval, time, waiting.Token);
        var first = await Task.WhenAny(checking is null ? [next, pause] : [next, pause, checking]);
        if (first == pause) await pause;
        else await waiting.CancelAsync();
        return first == next;
    }

    private async Task<bool> StillAllowedAsync(Follower follower, CancellationToken cancellationToken)
    {
        try
        {
            var allowed = await callers.RecheckAsync(follower.Claim, cancellationToken);
            return allowed.IsSuccess && allowed.Value.Organization == follower.Organization;
        }
        catch (PortException failure)
        {
            LogRecheckFailed(logger, failure);
            return true;
        }
    }

    private sealed class Stream(EventStreams streams, ISessionSubscription subscription, Follower follower, int incarnation) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            streams.returns.Joined();
            try
            {
                await using (subscription) await streams.FollowAsync(httpContext, subscription, follower, incarnation);
            }
            finally
            {
                streams.returns.Left();
            }
        }
    }

    /// <summary>Who follows, and for which organization: a claim that names none may come to mean another while the stream is open.</summary>
    private sealed record Follower(CallerClaim Claim, OrganizationId Organization);

    [LoggerMessage(EventId = 2203, Level = LogLevel.Warning, Message = "Whether the follower of an event stream is still allowed could not be found out; asked again in a minute.")]
    private static partial void LogRecheckFailed(ILogger logger, Exception failure);
}
