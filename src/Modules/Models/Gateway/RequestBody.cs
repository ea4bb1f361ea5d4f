using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Coordinator.Modules.Models.Gateway;

/// <summary>Reads a request's body whole, up to a bound, which may be above the host's for other routes.</summary>
internal static class RequestBody
{
    private const int FirstBytes = 64 * 1024;

    /// <summary>Null when it is larger than <paramref name="largest"/>.</summary>
    public static async Task<ReadOnlyMemory<byte>?> ReadAsync(HttpContext context, int largest)
    {
        // The bound is ours: the server's own would break the connection before the caller has read why.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = null;
        if (context.Request.ContentLength > largest) return null;
        var body = new ArrayBufferWriter<byte>((int)(context.Request.ContentLength ?? FirstBytes) + 1);
        int read;
        while ((read = await context.Request.Body.ReadAsync(body.GetMemory(1), context.RequestAborted)) > 0)
        {
            body.Advance(read);
            if (body.WrittenCount > largest) return null;
        }

        return body.WrittenMemory;
    }
}
