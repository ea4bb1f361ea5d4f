using System.Text;
using System.Text.Encodings.Web;

namespace Coordinator.Sandbox.Events;

/// <summary>
/// How large text becomes as a JSON string, and where it can be cut: never between the halves of a surrogate pair,
/// and, since the cut is made before escaping, never inside an escape.
/// </summary>
internal static class JsonText
{
    private const int ShortEscape = 2;
    private const int UnicodeEscape = 6;

    /// <summary>Escapes only what JSON itself demands, so that ordinary text keeps its size.</summary>
    public static JavaScriptEncoder Encoder => JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    /// <summary>How many UTF-16 units from the start fit into so many bytes of escaped UTF-8.</summary>
    public static int FitFromStart(ReadOnlySpan<char> text, int maxBytes)
    {
        var taken = 0;
        var bytes = 0;
        while (taken < text.Length)
        {
            var (units, cost) = Measure(text[taken..]);
            if (bytes + cost > maxBytes) break;
            bytes += cost;
            taken += units;
        }

        return taken;
    }

    /// <summary>How many UTF-16 units from the end fit into so many bytes of escaped UTF-8.</summary>
    public static int FitFromEnd(ReadOnlySpan<char> text, int maxBytes)
    {
        var taken = 0;
        var bytes = 0;
        while (taken < text.Length)
        {
            var rest = text[..^taken];
            var isPair = rest.Length >= 2 && char.IsSurrogatePair(rest[^2], rest[^1]);
            var (units, cost) = Measure(rest[^(isPair ? 2 : 1)..]);
            if (bytes + cost > maxBytes) break;
            bytes += cost;
            taken += units;
        }

        return taken;
    }

    /// <summary>The text, or its beginning and an ellipsis when it is longer than so many UTF-16 units.</summary>
    public static string Shorten(string text, int maxUnits)
    {
        if (text.Length <= maxUnits) return text;
        var end = maxUnits - 1;
        if (char.IsHighSurrogate(text[end - 1])) end--;
        return string.Concat(text.AsSpan(0, end), "…");
    }

    private static (int Units, int Bytes) Measure(ReadOnlySpan<char> text)
    {
        if (text[0] is >= ' ' and < '\u007f' and not ('"' or '\\')) return (1, 1);
        if (text[0] is '"' or '\\' or '\n' or '\r' or '\t' or '\b' or '\f') return (1, ShortEscape);
        if (Rune.DecodeFromUtf16(text, out var rune, out var units) != System.Buffers.OperationStatus.Done) return (1, UnicodeEscape);
        return (units, Encoder.WillEncode(rune.Value) ? units * UnicodeEscape : rune.Utf8SequenceLength);
    }
}
