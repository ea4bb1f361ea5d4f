using System.Buffers;
using System.Text.Json;
using Coordinator.Ports.Session;
using Microsoft.AspNetCore.Http;

namespace Coordinator.Modules.SessionAccess;

/// <summary>An answer whose JSON was written long ago, by the session: its bytes pass through.</summary>
internal sealed class RawJson(ReadOnlyMemory<byte> utf8, int status = StatusCodes.Status200OK) : IResult
{
    public static IResult Of(SessionView view) => new RawJson(view.Json);

    public static IResult Created(SessionView view) => new RawJson(view.Json, StatusCodes.Status201Created);

    /// <summary>A page of things that are JSON already. Raw values are written as they are, unchecked: the journal made them.</summary>
    public static RawJson Page(IEnumerable<ReadOnlyMemory<byte>> items, string? nextCursor, string? cursor = null)
    {
        var buffer = new ArrayBufferWriter<byte>(4_096);
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteStartArray("items"u8);
        foreach (var item in items) json.WriteRawValue(item.Span, skipInputValidation: true);
        json.WriteEndArray();
        if (cursor is not null) json.WriteString("cursor"u8, cursor);
        json.WriteString("nextCursor"u8, nextCursor);
        json.WriteEndObject();
        json.Flush();
        return new(buffer.WrittenMemory);
    }

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = status;
        response.ContentType = "application/json; charset=utf-8";
        response.ContentLength = utf8.Length;
        await response.Body.WriteAsync(utf8, httpContext.RequestAborted);
    }
}
