using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
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
/// Server-sent events of a session: what the journal holds after the cursor, then live. A follower that falls behind, a
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
        var response = context.Response;
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-store";
        response.Headers["X-Accel-Buffering"] = "no";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        var output = response.BodyWriter;
        Write(output, ": following\n\n"u8);
        await output.FlushAsync(context.RequestAborted);

        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        var batches = subscription.ReadAsync(ended.Token).GetAsyncEnumerator(ended.Token);
        var next = batches.MoveNextAsync().AsTask();
        try
        {
            var checkedAt = time.GetTimestamp();
            while (await ArrivedAsync(next, output, context.RequestAborted) is var arrived)
            {
                if (arrived == false)
                {
                    if (subscription.Closed is SubscriptionCloseReason.HostRestarting) await SayWhenToReturnAsync(output, context.RequestAborted);
                    return;
                }

                if (time.GetElapsedTime(checkedAt) >= RecheckInterval)
                {
                    if (!await StillAllowedAsync(follower, context.RequestAborted)) return;
                    checkedAt = time.GetTimestamp();
                }

                if (arrived is null) continue;
                WriteBatch(output, batches.Current, incarnation);
                if ((await output.FlushAsync(context.RequestAborted)).IsCompleted) return;
                next = batches.MoveNextAsync().AsTask();
            }
        }
        finally
        {
            await ended.CancelAsync();
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await batches.DisposeAsync();
        }
    }

    /// <summary>
    /// The field that every reader of event streams knows: how long to wait before the next connection. A browser keeps it for every
    /// later one too, so it is never so short that a page asks a host that is away without a pause.
    /// </summary>
    private async Task SayWhenToReturnAsync(PipeWriter output, CancellationToken cancellationToken)
    {
        var wait = LeastRetry + returns.Next();
        Write(output, Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"retry: {(long)wait.TotalMilliseconds}\n\n")));
        await output.FlushAsync(cancellationToken);
    }

    /// <summary>True: a batch is there. False: the subscription ended. Null: nothing came for a while, and a ping was sent.</summary>
    private async ValueTask<bool?> ArrivedAsync(Task<bool> next, PipeWriter output, CancellationToken cancellationToken)
    {
        if (next.IsCompleted) return await next;
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var pause = Task.Delay(PingInterval, time, waiting.Token);
        if (await Task.WhenAny(next, pause) == next)
        {
            await waiting.CancelAsync();
            return await next;
        }

        await pause;
        Write(output, ": ping\n\n"u8);
        await output.FlushAsync(cancellationToken);
        return null;
    }

    private async ValueTask<bool> StillAllowedAsync(Follower follower, CancellationToken cancellationToken)
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

    private static void WriteBatch(PipeWriter output, EventBatch batch, int incarnation)
    {
        Span<byte> id = stackalloc byte[64];
        foreach (var slice in batch.Events)
        {
            Write(output, "id: "u8);
            Encoding.UTF8.TryGetBytes(new SessionCursor(incarnation, slice.Seq).ToString(), id, out var length);
            Write(output, id[..length]);
            Write(output, "\ndata: "u8);
            Write(output, batch.Utf8.Span.Slice(slice.Offset, slice.Length));
            Write(output, "\n\n"u8);
        }
    }

    private static void Write(PipeWriter output, ReadOnlySpan<byte> bytes) => ((IBufferWriter<byte>)output).Write(bytes);

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
