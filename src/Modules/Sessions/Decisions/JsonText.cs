using System.Text.Json;

namespace Coordinator.Modules.Sessions.Decisions;

/// <summary>Reads text that a box wrote (<see cref="UnicodeText"/>). What is absent or no text reads as null, so that no event can stop the stream.</summary>
internal static class JsonText
{
    private const int LongestCode = 64;

    private const int LongestDetail = 4_000;

    private const int LongestName = 100;

    /// <summary>
    /// A failure's code, which stands in lists, events and the run history: a short word. Anything else is none, so that the session's own
    /// stands in its place.
    /// </summary>
    public static string? CodeOf(JsonElement data) =>
        Of(data, "code") is { Length: > 0 and <= LongestCode } code && code.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.') ? code : null;

    /// <summary>What people are told of a failure.</summary>
    public static string? DetailOf(JsonElement data) => Told(Of(data, "detail"), LongestDetail);

    /// <summary>What something is called.</summary>
    public static string? NameOf(JsonElement data, string name) => Told(Of(data, name), LongestName);

    public static string? Of(JsonElement data, string name) =>
        data.ValueKind == JsonValueKind.Object && data.TryGetProperty(name, out var value) ? Of(value) : null;

    public static string? Of(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>Bounded, since it is repeated for every message that waits; and without NUL, which no database keeps in a text.</summary>
    private static string? Told(string? text, int longest)
    {
        if (text?.Replace("\0", string.Empty, StringComparison.Ordinal) is not { } clean) return null;
        if (clean.Length <= longest) return clean;
        return $"{clean.AsSpan(0, char.IsHighSurrogate(clean[longest - 2]) ? longest - 2 : longest - 1)}…";
    }
}
