using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Coordinator.Tests.Support.Agents;

/// <summary>Streams a scripted answer in the shape of one wire.</summary>
internal abstract class ModelWireWriter(HttpResponse response)
{
    private static readonly TimeSpan RamblePause = TimeSpan.FromMilliseconds(50);

    public static ModelWireWriter For(string path, HttpResponse response) => path switch
    {
        "chat/completions" => new ChatWireWriter(response),
        "responses" => new ResponsesWireWriter(response),
        "messages" => new MessagesWireWriter(response),
        _ => throw new ArgumentException($"No scripted wire has the path '{path}'.", nameof(path)),
    };

    public async Task WriteAsync(ScriptedAnswer answer, CancellationToken cancellationToken)
    {
        await BeginAsync(cancellationToken);
        switch (answer)
        {
            case ScriptedAnswer.Say(var text, var thought):
                if (thought is not null) await ThinkAsync(thought, cancellationToken);
                foreach (var word in Words(text)) await TextAsync(word, cancellationToken);
                await EndAsync(text, cancellationToken);
                break;
            case ScriptedAnswer.CallTool call:
                await ToolAsync(call, cancellationToken);
                break;
            case ScriptedAnswer.Ramble:
                while (true)
                {
                    await TextAsync("and so on ", cancellationToken);
                    await Task.Delay(RamblePause, TimeProvider.System, cancellationToken);
                }
        }
    }

    protected abstract Task BeginAsync(CancellationToken cancellationToken);

    protected abstract Task TextAsync(string text, CancellationToken cancellationToken);

    protected abstract Task EndAsync(string text, CancellationToken cancellationToken);

    protected virtual Task ThinkAsync(string thought, CancellationToken cancellationToken) => throw new NotSupportedException("This scripted wire has no thoughts.");

    protected virtual Task ToolAsync(ScriptedAnswer.CallTool call, CancellationToken cancellationToken) => throw new NotSupportedException("This scripted wire has no tools.");

    protected async Task SendAsync(JsonObject data, CancellationToken cancellationToken, string? name = null)
    {
        await response.WriteAsync($"{(name is null ? "" : $"event: {name}\n")}data: {data.ToJsonString()}\n\n", cancellationToken);
        await response.Body.FlushAsync(cancellationToken);
    }

    protected Task SendRawAsync(string data, CancellationToken cancellationToken) => response.WriteAsync($"data: {data}\n\n", cancellationToken);

    private static IEnumerable<string> Words(string text)
    {
        for (var start = 0; start < text.Length;)
        {
            var space = text.IndexOf(' ', start);
            var end = space < 0 ? text.Length : space + 1;
            yield return text[start..end];
            start = end;
        }
    }
}

/// <summary><c>POST /chat/completions</c> of OpenAI.</summary>
internal sealed class ChatWireWriter(HttpResponse response) : ModelWireWriter(response)
{
    protected override Task BeginAsync(CancellationToken cancellationToken) => ChunkAsync(new JsonObject { ["role"] = "assistant", ["content"] = "" }, null, cancellationToken);

    protected override Task ThinkAsync(string thought, CancellationToken cancellationToken) => ChunkAsync(new JsonObject { ["reasoning_content"] = thought }, null, cancellationToken);

    protected override Task TextAsync(string text, CancellationToken cancellationToken) => ChunkAsync(new JsonObject { ["content"] = text }, null, cancellationToken);

    protected override Task EndAsync(string text, CancellationToken cancellationToken) => FinishAsync("stop", cancellationToken);

    protected override async Task ToolAsync(ScriptedAnswer.CallTool call, CancellationToken cancellationToken)
    {
        var arguments = new JsonObject();
        foreach (var (name, value) in call.Arguments) arguments[name] = value;
        // The same id in every answer, as some providers have it.
        await ChunkAsync(ToolDelta(new JsonObject { ["name"] = call.Tool, ["arguments"] = "" }, "call_0"), null, cancellationToken);
        await ChunkAsync(ToolDelta(new JsonObject { ["arguments"] = arguments.ToJsonString() }, null), null, cancellationToken);
        await FinishAsync("tool_calls", cancellationToken);
    }

    private static JsonObject ToolDelta(JsonObject function, string? id)
    {
        var call = new JsonObject { ["index"] = 0, ["function"] = function };
        if (id is not null) (call["id"], call["type"]) = (id, "function");
        return new JsonObject { ["tool_calls"] = new JsonArray(call) };
    }

    private async Task FinishAsync(string reason, CancellationToken cancellationToken)
    {
        await ChunkAsync([], reason, cancellationToken);
        await SendAsync(
            new JsonObject { ["id"] = "chatcmpl-1", ["object"] = "chat.completion.chunk", ["choices"] = new JsonArray(), ["usage"] = new JsonObject { ["prompt_tokens"] = 100, ["completion_tokens"] = 10, ["total_tokens"] = 110 } },
            cancellationToken);
        await SendRawAsync("[DONE]", cancellationToken);
    }

    private Task ChunkAsync(JsonObject delta, string? finish, CancellationToken cancellationToken) => SendAsync(
        new JsonObject { ["id"] = "chatcmpl-1", ["object"] = "chat.completion.chunk", ["created"] = 1, ["model"] = "scripted", ["choices"] = new JsonArray(new JsonObject { ["index"] = 0, ["delta"] = delta, ["finish_reason"] = finish }) },
        cancellationToken);
}

/// <summary><c>POST /responses</c> of OpenAI; text only.</summary>
internal sealed class ResponsesWireWriter(HttpResponse response) : ModelWireWriter(response)
{
    private int sequence;

    protected override async Task BeginAsync(CancellationToken cancellationToken)
    {
        await EventAsync("response.created", new JsonObject { ["response"] = Response("in_progress", null) }, cancellationToken);
        await EventAsync("response.output_item.added", new JsonObject { ["output_index"] = 0, ["item"] = Item("in_progress", null) }, cancellationToken);
        await EventAsync("response.content_part.added", Position(new JsonObject { ["part"] = Part("") }), cancellationToken);
    }

    protected override Task TextAsync(string text, CancellationToken cancellationToken) =>
        EventAsync("response.output_text.delta", Position(new JsonObject { ["delta"] = text }), cancellationToken);

    protected override async Task EndAsync(string text, CancellationToken cancellationToken)
    {
        await EventAsync("response.output_text.done", Position(new JsonObject { ["text"] = text }), cancellationToken);
        await EventAsync("response.output_item.done", new JsonObject { ["output_index"] = 0, ["item"] = Item("completed", text) }, cancellationToken);
        await EventAsync("response.completed", new JsonObject { ["response"] = Response("completed", text) }, cancellationToken);
    }

    private static JsonObject Part(string text) => new() { ["type"] = "output_text", ["text"] = text, ["annotations"] = new JsonArray() };

    private static JsonObject Item(string status, string? text) => new()
    {
        ["id"] = "msg_1", ["type"] = "message", ["status"] = status, ["role"] = "assistant",
        ["content"] = text is null ? new JsonArray() : new JsonArray(Part(text)),
    };

    private static JsonObject Response(string status, string? text) => new()
    {
        ["id"] = "resp_1", ["object"] = "response", ["created_at"] = 1, ["status"] = status, ["model"] = "scripted",
        ["output"] = text is null ? new JsonArray() : new JsonArray(Item(status, text)),
        ["usage"] = text is null ? null : new JsonObject
        {
            ["input_tokens"] = 100, ["input_tokens_details"] = new JsonObject { ["cached_tokens"] = 0 },
            ["output_tokens"] = 10, ["output_tokens_details"] = new JsonObject { ["reasoning_tokens"] = 0 }, ["total_tokens"] = 110,
        },
    };

    private static JsonObject Position(JsonObject data)
    {
        (data["item_id"], data["output_index"], data["content_index"]) = ("msg_1", 0, 0);
        return data;
    }

    private Task EventAsync(string type, JsonObject data, CancellationToken cancellationToken)
    {
        (data["type"], data["sequence_number"]) = (type, sequence++);
        return SendAsync(data, cancellationToken, type);
    }
}

/// <summary><c>POST /messages</c> of Anthropic; text only.</summary>
internal sealed class MessagesWireWriter(HttpResponse response) : ModelWireWriter(response)
{
    protected override async Task BeginAsync(CancellationToken cancellationToken)
    {
        var message = new JsonObject
        {
            ["id"] = "msg_1", ["type"] = "message", ["role"] = "assistant", ["model"] = "scripted", ["content"] = new JsonArray(),
            ["stop_reason"] = null, ["stop_sequence"] = null, ["usage"] = new JsonObject { ["input_tokens"] = 100, ["output_tokens"] = 1 },
        };
        await EventAsync("message_start", new JsonObject { ["message"] = message }, cancellationToken);
        await EventAsync("content_block_start", new JsonObject { ["index"] = 0, ["content_block"] = new JsonObject { ["type"] = "text", ["text"] = "" } }, cancellationToken);
    }

    protected override Task TextAsync(string text, CancellationToken cancellationToken) =>
        EventAsync("content_block_delta", new JsonObject { ["index"] = 0, ["delta"] = new JsonObject { ["type"] = "text_delta", ["text"] = text } }, cancellationToken);

    protected override async Task EndAsync(string text, CancellationToken cancellationToken)
    {
        await EventAsync("content_block_stop", new JsonObject { ["index"] = 0 }, cancellationToken);
        await EventAsync("message_delta", new JsonObject { ["delta"] = new JsonObject { ["stop_reason"] = "end_turn", ["stop_sequence"] = null }, ["usage"] = new JsonObject { ["output_tokens"] = 10 } }, cancellationToken);
        await EventAsync("message_stop", [], cancellationToken);
    }

    private Task EventAsync(string type, JsonObject data, CancellationToken cancellationToken)
    {
        data["type"] = type;
        return SendAsync(data, cancellationToken, type);
    }
}
