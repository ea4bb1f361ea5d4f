using System.Globalization;
using System.Text;
using Coordinator.Ports.Compute.DataPlane;
using Coordinator.SandboxHost.Boxes;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace Coordinator.SandboxHost.Signing;

/// <summary>Who signed the request that is being answered.</summary>
internal sealed record SignedBy(string KeyId);

/// <summary>
/// Lets in what is signed with a known key, fresh, for the first time, and over this very method, path and body; refuses all
/// else with what is wrong, before anything is done. <c>/health</c> without a signature passes, and is told little.
/// </summary>
internal sealed partial class SignatureGate(RequestDelegate next, IOptions<SandboxHostOptions> options, NonceBook nonces, TimeProvider time, ILogger<SignatureGate> logger)
{
    public const string HealthPath = "/health";

    private const int LargestBody = 1024 * 1024;

    private readonly Dictionary<string, byte[]> secrets = options.Value.Keys.ToDictionary(key => key.Key, key => Encoding.UTF8.GetBytes(key.Value), StringComparer.Ordinal);

    public async Task InvokeAsync(HttpContext context)
    {
        var header = context.Request.Headers.Authorization;
        if (header.Count == 0 && context.Request.Path == HealthPath)
        {
            await next(context);
            return;
        }

        if (await ReadBodyAsync(context) is not { } body)
        {
            await context.WriteProblemAsync(StatusCodes.Status413PayloadTooLarge, "body_too_large", $"A body may have at most {LargestBody} bytes.");
            return;
        }

        if (Refuse(header.Count == 1 ? header[0] : null, context, body, out var signature) is { } refusal)
        {
            LogRefused(context.Request.Method, context.Request.Path, refusal.Code, refusal.Detail);
            await context.WriteProblemAsync(refusal.Code is "too_many_requests" or "nonce_not_written" ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status401Unauthorized, refusal.Code, refusal.Detail);
            return;
        }

        context.Features.Set(new SignedBy(signature!.KeyId));
        using var content = new MemoryStream(body, writable: false);
        context.Request.Body = content;
        await next(context);
    }

    private (string Code, string Detail)? Refuse(string? header, HttpContext context, byte[] body, out RequestSignature? signature)
    {
        if (!RequestSignature.TryParse(header, out signature))
            return ("signature_missing", $"Sign the request: 'Authorization: {RequestSignature.Scheme} keyId=…,ts=…,nonce=…,sig=…' (docs/protocol.md, Data plane).");
        if (!secrets.TryGetValue(signature.KeyId, out var secret)) return ("key_unknown", $"No key '{signature.KeyId}' is configured here.");
        var apart = time.GetUtcNow().ToUnixTimeSeconds() - signature.Timestamp;
        if (!signature.Covers(secret, new(context.Request.Method, TargetOf(context), body)))
            return ("signature_invalid", "The signature is not that of this method, path, query, time, nonce and body under the key it names.");
        if (Math.Abs(apart) > RequestSignature.AllowedSkew.TotalSeconds)
            return ("request_out_of_time", string.Create(CultureInfo.InvariantCulture, $"The request was signed {Math.Abs(apart)} seconds {(apart > 0 ? "before" : "after")} the time here; at most {RequestSignature.AllowedSkew.TotalSeconds} are allowed. Check both clocks."));
        return nonces.Take(signature) switch
        {
            NonceBook.Outcome.UsedBefore => ("nonce_replayed", "This very request was received before; a repeated one needs a nonce of its own."),
            NonceBook.Outcome.NotWritten when !IsHarmlessTwice(context.Request.Method) => ("nonce_not_written", "The disk here takes nothing more, so that after a restart this request could be repeated by whoever saw it. Make room: destroy boxes with their data, which is let in, as looking at them is."),
            NonceBook.Outcome.Full => ("too_many_requests", "More requests came than can be remembered; try again."),
            _ => null,
        };
    }

    /// <summary>Looks at something, or frees something, which is the same when it is done again. On a full disk it must be possible to make room.</summary>
    private static bool IsHarmlessTwice(string method) => HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsDelete(method);

    /// <summary>As it stands in the request's first line: what is decoded or normalized is no longer what was signed.</summary>
    private static string TargetOf(HttpContext context) => context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;

    /// <summary>Null when it is larger than any may be.</summary>
    private static async Task<byte[]?> ReadBodyAsync(HttpContext context)
    {
        if (context.Request.ContentLength > LargestBody) return null;
        using var body = new MemoryStream();
        var block = new byte[16 * 1024];
        while (await context.Request.Body.ReadAsync(block, context.RequestAborted) is var read and > 0)
        {
            if (body.Length + read > LargestBody) return null;
            body.Write(block, 0, read);
        }

        return body.ToArray();
    }

    [LoggerMessage(5411, LogLevel.Warning, "{Method} {Path} refused: {Code}. {Detail}")]
    private partial void LogRefused(string method, string path, string code, string detail);
}
