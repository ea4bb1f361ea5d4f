using System.Text.Json;

namespace Coordinator.Modules.SessionAccess.Sockets;

/// <summary>Reads values of a frame. What does not fit is a <see cref="FrameException"/> that names the field, never its content.</summary>
internal static class JsonFields
{
    /// <summary>Well below the 64 levels that readers of the journal take by default: what is let in here is enveloped and stored as it is.</summary>
    private const int MaxDepth = 48;

    public static JsonReaderOptions Options { get; } = new() { MaxDepth = MaxDepth };

    /// <summary>Runs a reading, so that everything that can be wrong with bytes is one kind of failure.</summary>
    public static T Guard<T>(ReadOnlySpan<byte> utf8, Reading<T> reading)
    {
        try
        {
            var reader = new Utf8JsonReader(utf8, Options);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) throw new FrameException("A frame is one JSON object.");
            var value = reading(ref reader);
            if (reader.Read()) throw new FrameException("A frame is one JSON object.");
            return value;
        }
        catch (JsonException)
        {
            throw new FrameException("A frame is one JSON object; this is not JSON.");
        }
        catch (InvalidOperationException)
        {
            throw new FrameException("A text in the frame is not valid Unicode.");
        }
    }

    public static string? OptionalText(ref Utf8JsonReader reader, string field) => reader.TokenType switch
    {
        JsonTokenType.String => reader.GetString(),
        JsonTokenType.Null => null,
        _ => throw new FrameException($"'{field}' must be a string."),
    };

    public static long Number(ref Utf8JsonReader reader, string field) =>
        reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var number) ? number : throw new FrameException($"'{field}' must be a whole number.");

    public static bool Truth(ref Utf8JsonReader reader, string field) =>
        reader.TokenType is JsonTokenType.True or JsonTokenType.False ? reader.GetBoolean() : throw new FrameException($"'{field}' must be true or false.");

    public static string Required(string? value, string field) => string.IsNullOrEmpty(value) ? throw new FrameException($"'{field}' is missing.") : value;

    public delegate T Reading<out T>(ref Utf8JsonReader reader);
}

/// <summary>A frame cannot be read; the message tells the peer why.</summary>
internal sealed class FrameException(string message) : Exception(message);
