using System.Buffers;
using System.Text.Json;

namespace Coordinator.Sandbox.Events;

/// <summary>Writes the JSON object of an event.</summary>
internal static class EventJson
{
    public static JsonWriterOptions WriterOptions { get; } = new() { Encoder = JsonText.Encoder, SkipValidation = false };

    public static byte[] Write(Action<Utf8JsonWriter> properties)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, WriterOptions))
        {
            writer.WriteStartObject();
            properties(writer);
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    public static void WriteOptional(this Utf8JsonWriter writer, string name, string? value)
    {
        if (value is not null) writer.WriteString(name, value);
    }

    public static void WriteOptional(this Utf8JsonWriter writer, string name, long? value)
    {
        if (value is { } number) writer.WriteNumber(name, number);
    }
}
