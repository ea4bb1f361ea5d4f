using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Coordinator.Demo.Model;

/// <summary>Writes an answer as OpenAI's chat completions do: whole, or as a stream paced word by word.</summary>
internal sealed class ChatCompletionWriter(HttpResponse response, ChatRequest request, string id, long created, TimeSpan wordPause, TimeProvider time)
{
    private const int CharactersPerToken = 4;

    /// <summary>The same for the same request body, so that a recorded conversation can be compared.</summary>
    public static string IdOf(ReadOnlySpan<byte> body) => Convert.ToHexStringLower(SHA256.HashData(body).AsSpan(0, 8));

    public Task WriteAsync(DemoAnswer answer, CancellationToken cancellationToken) =>
        request.Stream ? StreamAsync(answer, cancellationToken) : WriteWholeAsync(answer, cancellationToken);

    private async Task StreamAsync(DemoAnswer answer, CancellationToken cancellationToken)
    {
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-store";
        await ChunkAsync(writer => Delta(writer, delta =>
        {
            delta.WriteString("role"u8, "assistant"u8);
            delta.WriteString("content"u8, ""u8);
        }), cancellationToken);

        var (text, pause) = answer switch
        {
            DemoAnswer.Say say => (say.Text, wordPause * say.Pause),
            DemoAnswer.Call call => (call.Text, wordPause),
            _ => throw new InvalidOperationException($"No such answer: {answer.GetType().Name}."),
        };
        foreach (var word in Words(text))
        {
            await ChunkAsync(writer => Delta(writer, delta => delta.WriteString("content"u8, word)), cancellationToken);
            if (pause > TimeSpan.Zero) await Task.Delay(pause, time, cancellationToken);
        }

        if (answer is DemoAnswer.Call tool) await ChunkAsync(writer => Delta(writer, delta => ToolCall(delta, tool, withIndex: true)), cancellationToken);
        await ChunkAsync(writer => Delta(writer, _ => { }, FinishReason(answer)), cancellationToken);
        if (request.IncludeUsage) await ChunkAsync(writer => Usage(writer, answer), cancellationToken);
        await response.Body.WriteAsync("data: [DONE]\n\n"u8.ToArray(), cancellationToken);
        await response.Body.FlushAsync(cancellationToken);
    }

    private async Task WriteWholeAsync(DemoAnswer answer, CancellationToken cancellationToken)
    {
        response.ContentType = "application/json";
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            Open(writer, "chat.completion");
            writer.WriteStartArray("choices"u8);
            writer.WriteStartObject();
            writer.WriteNumber("index"u8, 0);
            writer.WriteStartObject("message"u8);
            writer.WriteString("role"u8, "assistant"u8);
            writer.WriteString("content"u8, answer is DemoAnswer.Say say ? say.Text : ((DemoAnswer.Call)answer).Text);
            if (answer is DemoAnswer.Call call) ToolCall(writer, call, withIndex: false);
            writer.WriteEndObject();
            writer.WriteString("finish_reason"u8, FinishReason(answer));
            writer.WriteEndObject();
            writer.WriteEndArray();
            UsageObject(writer, answer);
            writer.WriteEndObject();
        }

        await response.Body.WriteAsync(buffer.WrittenMemory, cancellationToken);
    }

    private async Task ChunkAsync(Action<Utf8JsonWriter> write, CancellationToken cancellationToken)
    {
        var buffer = new ArrayBufferWriter<byte>();
        buffer.Write("data: "u8);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            Open(writer, "chat.completion.chunk");
            write(writer);
            writer.WriteEndObject();
        }

        buffer.Write("\n\n"u8);
        await response.Body.WriteAsync(buffer.WrittenMemory, cancellationToken);
        await response.Body.FlushAsync(cancellationToken);
    }

    private void Open(Utf8JsonWriter writer, string kind)
    {
        writer.WriteStartObject();
        writer.WriteString("id"u8, $"chatcmpl-demo-{id}");
        writer.WriteString("object"u8, kind);
        writer.WriteNumber("created"u8, created);
        writer.WriteString("model"u8, request.Model);
        writer.WriteString("system_fingerprint"u8, "scripted-demo"u8);
    }

    private static void Delta(Utf8JsonWriter writer, Action<Utf8JsonWriter> content, string? finishReason = null)
    {
        writer.WriteStartArray("choices"u8);
        writer.WriteStartObject();
        writer.WriteNumber("index"u8, 0);
        writer.WriteStartObject("delta"u8);
        content(writer);
        writer.WriteEndObject();
        if (finishReason is null) writer.WriteNull("finish_reason"u8);
        else writer.WriteString("finish_reason"u8, finishReason);
        writer.WriteEndObject();
        writer.WriteEndArray();
    }

    private void ToolCall(Utf8JsonWriter writer, DemoAnswer.Call call, bool withIndex)
    {
        writer.WriteStartArray("tool_calls"u8);
        writer.WriteStartObject();
        if (withIndex) writer.WriteNumber("index"u8, 0);
        writer.WriteString("id"u8, $"call_{id}");
        writer.WriteString("type"u8, "function"u8);
        writer.WriteStartObject("function"u8);
        writer.WriteString("name"u8, call.Tool);
        writer.WriteString("arguments"u8, call.ArgumentsJson);
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.WriteEndArray();
    }

    private void Usage(Utf8JsonWriter writer, DemoAnswer answer)
    {
        writer.WriteStartArray("choices"u8);
        writer.WriteEndArray();
        UsageObject(writer, answer);
    }

    /// <summary>A script has no tokens; four characters count as one.</summary>
    private void UsageObject(Utf8JsonWriter writer, DemoAnswer answer)
    {
        var characters = answer switch
        {
            DemoAnswer.Say say => say.Text.Length,
            DemoAnswer.Call call => call.Text.Length + call.ArgumentsJson.Length,
            _ => 0,
        };
        var prompt = (request.Characters / CharactersPerToken) + 1;
        var completion = (characters / CharactersPerToken) + 1;
        writer.WriteStartObject("usage"u8);
        writer.WriteNumber("prompt_tokens"u8, prompt);
        writer.WriteNumber("completion_tokens"u8, completion);
        writer.WriteNumber("total_tokens"u8, prompt + completion);
        writer.WriteEndObject();
    }

    private static string FinishReason(DemoAnswer answer) => answer is DemoAnswer.Call ? "tool_calls" : "stop";

    /// <summary>The words of a text, each with the white space after it.</summary>
    private static IEnumerable<string> Words(string text)
    {
        var start = 0;
        for (var i = 1; i < text.Length; i++)
        {
            if (char.IsWhiteSpace(text[i]) || !char.IsWhiteSpace(text[i - 1])) continue;
            yield return text[start..i];
            start = i;
        }

        if (start < text.Length) yield return text[start..];
    }
}
