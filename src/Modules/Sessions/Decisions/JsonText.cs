using System.Text.Json;

namespace Coordinator.Modules.Sessions.Decisions;

/// <summary>Reads text that a box wrote. What is absent, no text, or no Unicode (half a surrogate pair) reads as null, so that no event can stop the stream.</summary>
internal static class JsonText
{
    public static string? Of(JsonElement data, string name) =>
        data.ValueKind == JsonValueKind.Object && data.TryGetProperty(name, out var value) ? Of(value) : null;

    public static string? Of(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String) return null;
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}
