using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Coordinator.Modules.Kernel.Http;
using Coordinator.Ports;
using Coordinator.Ports.Identity;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;

namespace Coordinator.Modules.Kernel.Idempotency;

/// <summary>
/// Answers a repeated POST with its first answer. The first caller of (organization, principal, key) runs; what it was
/// answered is kept unless a retry may mend it (429 and 5xx), in which case the claim is given back. Until then a repeat is
/// told to wait, unless what it acts on knows it for one (<see cref="RepeatsRecognised"/>): then it runs too.
/// </summary>
internal sealed partial class IdempotencyMiddleware(RequestDelegate next, ITenantDirectory directory, TimeProvider time, ILogger<IdempotencyMiddleware> logger)
{
    public const string KeyHeader = "Idempotency-Key";
    public const string ReplayedHeader = "Idempotency-Replayed";
    public const int MaxBodyBytes = 1024 * 1024;

    private const int MaxKeyLength = 200;

    private static readonly TimeSpan SettleTimeout = TimeSpan.FromSeconds(5);
    private static readonly SearchValues<char> VisibleAscii = SearchValues.Create(string.Concat(Enumerable.Range(0x21, 0x7E - 0x20).Select(code => (char)code)));

    private static readonly Problem KeyInvalid = new("idempotency_key_invalid", "Idempotency-Key is one header of 1 to 200 visible ASCII characters.", ProblemKind.Malformed);
    private static readonly Problem Reused = new("idempotency_key_reused", "This Idempotency-Key was used with another request; use a new key for a new request.", ProblemKind.Conflict);
    private static readonly Problem InProgress = new("request_in_progress", "The first request with this Idempotency-Key is still being answered; try again.", ProblemKind.Conflict, TimeSpan.FromSeconds(1));
    private static readonly Problem TooLarge = new("request_too_large", "A body with an Idempotency-Key is at most 1 MiB.", ProblemKind.TooLarge);

    public Task InvokeAsync(HttpContext context)
    {
        var keys = context.Request.Headers[KeyHeader];
        return keys.Count == 0 || !HttpMethods.IsPost(context.Request.Method) || context.Features.Get<TenantContext>() is not { } tenant
            ? next(context)
            : ClaimAsync(context, keys, tenant);
    }

    private async Task ClaimAsync(HttpContext context, StringValues keys, TenantContext tenant)
    {
        if (keys.Count != 1 || keys[0] is not { Length: >= 1 and <= MaxKeyLength } key || key.AsSpan().ContainsAnyExcept(VisibleAscii))
        {
            await context.WriteProblemAsync(KeyInvalid);
            return;
        }

        if (await BufferAsync(context) is not { } body)
        {
            await context.WriteProblemAsync(TooLarge);
            return;
        }

        context.Features.Set(new IdempotencyKeyFeature(key));
        var claiming = time.GetTimestamp();
        var outcome = await directory.ClaimRequestAsync(tenant.Organization, tenant.Principal.Scope, key, HashOf(context.Request, body), time.GetUtcNow(), ClaimHold.Held, context.RequestAborted);
        await (outcome switch
        {
            RequestClaim.Mine mine => RunAsync(context, new(tenant.Organization, tenant.Principal.Scope, key, mine.Id), claiming),
            RequestClaim.Answered answered => ReplayAsync(context, answered.Answer),
            RequestClaim.InProgress first when RecognisesRepeats(context) => RunBesideAsync(context, tenant, key, first.Claim),
            RequestClaim.InProgress => context.WriteProblemAsync(InProgress),
            _ => context.WriteProblemAsync(Reused),
        });
    }

    private static bool RecognisesRepeats(HttpContext context) => context.GetEndpoint()?.Metadata.GetMetadata<RepeatsRecognised>() is not null;

    /// <summary>Runs the request for as long as its claim is held: what another may have taken over is stopped here.</summary>
    private async Task RunAsync(HttpContext context, ClaimedRequest claim, long claimedAt)
    {
        await using var hold = new ClaimHold(directory, claim, claimedAt, time, context.RequestAborted);
        var aborted = context.RequestAborted;
        context.RequestAborted = hold.Lost;
        try
        {
            await AnswerAsync(context, claim, aborted);
        }
        catch (Exception failure)
        {
            await SettleAsync(context, claim, null);
            if (failure is OperationCanceledException && hold.IsLost) throw new PortException(PortFailureKind.Unavailable, "The claim of a request could not be held while it ran.", effectMayHaveHappened: true, inner: failure);
            throw;
        }
        finally
        {
            context.RequestAborted = aborted;
        }
    }

    /// <summary>Runs a repeat beside a first that holds the claim, or did. Whoever is answered first says what the key's answer is; that of the other, which is the same, finds it kept.</summary>
    private Task RunBesideAsync(HttpContext context, TenantContext tenant, string key, Guid? first) =>
        first is { } holder ? AnswerAsync(context, new(tenant.Organization, tenant.Principal.Scope, key, holder), context.RequestAborted, isHolder: false) : next(context);

    private async Task AnswerAsync(HttpContext context, ClaimedRequest claim, CancellationToken aborted, bool isHolder = true)
    {
        var original = context.Response.Body;
        using var captured = new MemoryStream();
        context.Response.Body = captured;
        try
        {
            await next(context);
            await context.Response.BodyWriter.FlushAsync(CancellationToken.None);
        }
        finally
        {
            context.Response.Body = original;
        }

        var answer = AnswerToKeep(context, captured);
        if (answer is not null || isHolder) await SettleAsync(context, claim, answer);
        captured.Position = 0;
        await captured.CopyToAsync(original, aborted);
    }

    private static StoredAnswer? AnswerToKeep(HttpContext context, MemoryStream captured)
    {
        var status = context.Response.StatusCode;
        if (status >= 500 || status == StatusCodes.Status429TooManyRequests) return null;
        var shownOnce = status < 400 && context.GetEndpoint()?.Metadata.GetMetadata<SecretAnswer>() is not null;
        return shownOnce ? SecretAnswers.NotRepeatable : new(status, context.Response.ContentType ?? string.Empty, captured.ToArray());
    }

    private async Task SettleAsync(HttpContext context, ClaimedRequest claim, StoredAnswer? answer)
    {
        using var timeout = new CancellationTokenSource(SettleTimeout, time);
        try
        {
            await (answer is null
                ? directory.AbandonRequestAsync(claim.Organization, claim.Scope, claim.Key, claim.Id, timeout.Token)
                : directory.CompleteRequestAsync(claim.Organization, claim.Scope, claim.Key, claim.Id, answer, answer.Status < 400 && RecognisesRepeats(context), timeout.Token));
        }
        catch (Exception failure) when (failure is PortException or OperationCanceledException)
        {
            LogNotSettled(logger, context.Request.Path, failure);
        }
    }

    private static Task ReplayAsync(HttpContext context, StoredAnswer answer)
    {
        context.Response.Headers[ReplayedHeader] = "true";
        if (SecretAnswers.IsNotRepeatable(answer)) return context.WriteProblemAsync(SecretAnswers.Problem);
        context.Response.StatusCode = answer.Status;
        if (answer.ContentType.Length > 0) context.Response.ContentType = answer.ContentType;
        if (answer.Body.Length == 0) return Task.CompletedTask;
        context.Response.ContentLength = answer.Body.Length;
        return context.Response.Body.WriteAsync(answer.Body, context.RequestAborted).AsTask();
    }

    private static async ValueTask<ReadOnlyMemory<byte>?> BufferAsync(HttpContext context)
    {
        if (context.Request.ContentLength > MaxBodyBytes) return null;
        var buffer = new MemoryStream((int)(context.Request.ContentLength ?? 1024));
        var chunk = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            int read;
            while ((read = await context.Request.Body.ReadAsync(chunk, context.RequestAborted)) > 0)
            {
                if (buffer.Length + read > MaxBodyBytes) return null;
                buffer.Write(chunk, 0, read);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk);
        }

        buffer.Position = 0;
        context.Request.Body = buffer;
        return buffer.GetBuffer().AsMemory(0, (int)buffer.Length);
    }

    private static byte[] HashOf(HttpRequest request, ReadOnlyMemory<byte> body)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{request.Method} {request.Path.ToUriComponent()}{request.QueryString.ToUriComponent()}\n"));
        hash.AppendData(body.Span);
        return hash.GetHashAndReset();
    }

    [LoggerMessage(EventId = 1201, Level = LogLevel.Warning, Message = "What became of an idempotent POST to {Path} could not be stored; a repeat runs anew once its claim is not held any more.")]
    private static partial void LogNotSettled(ILogger logger, PathString path, Exception failure);
}
