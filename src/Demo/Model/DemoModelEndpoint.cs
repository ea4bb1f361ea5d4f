using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace Coordinator.Demo.Model;

/// <summary><c>POST /demo/model/v1/chat/completions</c>: answers the gateway of this process and nobody else.</summary>
internal sealed class DemoModelEndpoint(DemoKey key, IOptions<DemoOptions> options, TimeProvider time)
{
    private const int LargestBody = 20 * 1024 * 1024;

    public async Task HandleAsync(HttpContext context)
    {
        if (!key.IsAuthorization(context.Request.Headers.Authorization.ToString()))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        var body = await ReadAsync(context);
        if (ChatRequest.Parse(body) is not { } request)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync("""{"error":{"message":"The demo model takes chat completions requests.","type":"invalid_request_error"}}""", context.RequestAborted);
            return;
        }

        var writer = new ChatCompletionWriter(context.Response, request, ChatCompletionWriter.IdOf(body), time.GetUtcNow().ToUnixTimeSeconds(), options.Value.WordPause, time);
        await writer.WriteAsync(ScriptedModel.Answer(request), context.RequestAborted);
    }

    /// <summary>The body; nothing when it is too large.</summary>
    private static async Task<byte[]> ReadAsync(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = LargestBody + 1;
        using var body = new MemoryStream();
        var buffer = new byte[64 * 1024];
        int read;
        while ((read = await context.Request.Body.ReadAsync(buffer, context.RequestAborted)) > 0)
        {
            if (body.Length + read > LargestBody) return [];
            body.Write(buffer, 0, read);
        }

        return body.ToArray();
    }
}
