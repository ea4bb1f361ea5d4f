using System.Buffers;
using Microsoft.AspNetCore.Http;

namespace Coordinator.Modules.Models.Gateway;

/// <summary>Reads a request's body whole, up to a bound.</summary>
internal static class RequestBody
{
    private const int FirstBytes = 64 * 1024;

    /// <summary>Null when it is larger than <paramref name="largest"/>.</summary>
    public static async Task<ReadOnlyMemory<byte>?> ReadAsync(HttpContext context, int largest)
    {
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
