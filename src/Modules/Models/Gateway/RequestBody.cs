using System.Buffers;
using Coordinator.Ports;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Coordinator.Modules.Models.Gateway;

/// <summary>Reads a request's body whole, up to a bound, which may be above the host's for other routes.</summary>
internal static class RequestBody
{
    private const int FirstBytes = 64 * 1024;

    /// <summary>
    /// Problems: <c>model_request_too_large</c> when it is larger than <paramref name="largest"/>, and those of
    /// <paramref name="place"/>, which counts what comes.
    /// </summary>
    public static async Task<Result<ReadOnlyMemory<byte>>> ReadAsync(HttpContext context, int largest, ModelCalls.Place place)
    {
        // The bound is ours: the server's own would break the connection before the caller has read why.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = null;
        if (context.Request.ContentLength > largest) return TooLarge(largest);

        // Grown by what comes, and not by what was announced, which costs a caller nothing.
        var body = new ArrayBufferWriter<byte>((int)Math.Min(context.Request.ContentLength ?? FirstBytes, FirstBytes) + 1);
        int read;
        while ((read = await context.Request.Body.ReadAsync(body.GetMemory(1), context.RequestAborted)) > 0)
        {
            body.Advance(read);
            if (body.WrittenCount > largest) return TooLarge(largest);
            if (place.Take(read) is { } refused) return refused;
        }

        return body.WrittenMemory;
    }

    private static Problem TooLarge(int largest) => new("model_request_too_large", $"A model call is at most {largest / 1024 / 1024} MiB.", ProblemKind.TooLarge);
}
