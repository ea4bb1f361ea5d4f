using System.Text.Json;
using System.Text.RegularExpressions;

namespace Coordinator.Demo.Model;

/// <summary>
/// One message of a chat completions request, its text put together. <see cref="Earlier"/> holds what a person asked before
/// this conversation was made anew, when the message tells it.
/// </summary>
internal sealed record ChatMessage(string Role, string Text, IReadOnlyList<string> Earlier);

/// <summary>A chat completions request, as far as the script reads it.</summary>
internal sealed partial record ChatRequest(string Model, bool Stream, bool IncludeUsage, IReadOnlyList<ChatMessage> Messages, IReadOnlyList<string> Tools, int Characters)
{
    private const int MaxDepth = 256;

    /// <summary>Null when it is not such a request.</summary>
    public static ChatRequest? Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = MaxDepth });
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("messages", out var messages) || messages.ValueKind != JsonValueKind.Array) return null;
            return new(
                Text(root, "model"),
                root.TryGetProperty("stream", out var stream) && stream.ValueKind == JsonValueKind.True,
                root.TryGetProperty("stream_options", out var options) && options.ValueKind == JsonValueKind.Object
                    && options.TryGetProperty("include_usage", out var usage) && usage.ValueKind == JsonValueKind.True,
                [.. messages.EnumerateArray().Where(message => message.ValueKind == JsonValueKind.Object).Select(Message)],
                [.. ToolNames(root)],
                json.Length);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static IEnumerable<string> ToolNames(JsonElement root)
    {
        if (!root.TryGetProperty("tools", out var tools) || tools.ValueKind != JsonValueKind.Array) yield break;
        foreach (var tool in tools.EnumerateArray())
        {
            if (tool.ValueKind == JsonValueKind.Object && tool.TryGetProperty("function", out var function) && function.ValueKind == JsonValueKind.Object) yield return Text(function, "name");
        }
    }

    private static ChatMessage Message(JsonElement message)
    {
        var content = Content(message);
        var history = History().Match(content);
        return history.Success
            ? new(Text(message, "role"), content.Remove(history.Index, history.Length).Trim(), [.. Asked().Matches(history.Value).Select(asked => asked.Groups["text"].Value)])
            : new(Text(message, "role"), content, []);
    }

    /// <summary>A string, or the text parts of an array; without the reminders that agents add to what people wrote.</summary>
    private static string Content(JsonElement message)
    {
        if (!message.TryGetProperty("content", out var content)) return string.Empty;
        var text = content.ValueKind switch
        {
            JsonValueKind.String => content.GetString()!,
            JsonValueKind.Array => string.Join('\n', content.EnumerateArray().Where(part => part.ValueKind == JsonValueKind.Object).Select(part => Text(part, "text")).Where(part => part.Length > 0)),
            _ => string.Empty,
        };
        return Reminder().Replace(text, string.Empty).Trim();
    }

    private static string Text(JsonElement holder, string name) =>
        holder.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : string.Empty;

    [GeneratedRegex("<earlier-conversation>.*</earlier-conversation>", RegexOptions.Singleline | RegexOptions.CultureInvariant)]
    private static partial Regex History();

    [GeneratedRegex("<user>\n(?<text>.*?)\n</user>", RegexOptions.Singleline | RegexOptions.CultureInvariant)]
    private static partial Regex Asked();

    [GeneratedRegex("<system-reminder>.*?</system-reminder>", RegexOptions.Singleline | RegexOptions.CultureInvariant)]
    private static partial Regex Reminder();
}
