using System.Buffers;
using System.Text.Json;

namespace Coordinator.Sandbox.Events;

/// <summary>
/// Writes a JSON object of any size as one of bounded size: long strings are cut, long lists shortened, deep nesting
/// dropped, tighter and tighter until it fits; its shape stays what it was. What is no JSON object becomes an empty one.
/// </summary>
internal sealed class JsonExcerpt(Redactor redactor)
{
    private const int MaxDepth = 16;
    private static readonly (int Units, int Items)[] Tightenings = [(int.MaxValue, int.MaxValue), (4096, 200), (512, 50), (64, 10)];

    /// <summary>An object of at most <paramref name="maxBytes"/> bytes.</summary>
    public byte[] Fit(string? json, int maxBytes)
    {
        if (json is null || Parse(json) is not { } document) return "{}"u8.ToArray();
        using (document)
        {
            foreach (var (units, items) in Tightenings)
            {
                var buffer = new ArrayBufferWriter<byte>();
                using (var writer = new Utf8JsonWriter(buffer, EventJson.WriterOptions)) Write(writer, document.RootElement, units, items, MaxDepth);
                if (buffer.WrittenCount <= maxBytes) return buffer.WrittenSpan.ToArray();
            }
        }

        return """{"leftOut":"too large to show"}"""u8.ToArray();
    }

    private static JsonDocument? Parse(string json)
    {
        try
        {
            var document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind == JsonValueKind.Object) return document;
            document.Dispose();
            return null;
        }
        catch (JsonException)
        {
            return null;
        }
        catch (ArgumentException)
        {
            // Half a surrogate pair in the text: no UTF-8 can hold it.
            return null;
        }
    }

    private void Write(Utf8JsonWriter writer, JsonElement element, int units, int items, int depth)
    {
        if (depth == 0)
        {
            writer.WriteNullValue();
            return;
        }

        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var property in element.EnumerateObject().Take(items))
                {
                    writer.WritePropertyName(JsonText.Shorten(redactor.Clean(NameOf(property)), Math.Min(units, 200)));
                    Write(writer, property.Value, units, items, depth - 1);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in element.EnumerateArray().Take(items)) Write(writer, item, units, items, depth - 1);
                writer.WriteEndArray();
                break;
            case JsonValueKind.String:
                writer.WriteStringValue(JsonText.Shorten(redactor.Clean(TextOf(element)), units));
                break;
            default:
                element.WriteTo(writer);
                break;
        }
    }

    /// <summary>An escaped half of a surrogate pair is valid JSON and no valid text.</summary>
    private static string TextOf(JsonElement element)
    {
        try
        {
            return element.GetString() ?? "";
        }
        catch (InvalidOperationException)
        {
            return "\ufffd";
        }
    }

    private static string NameOf(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            return "\ufffd";
        }
    }
}
