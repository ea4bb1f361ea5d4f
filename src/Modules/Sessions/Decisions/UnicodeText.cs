using System.Globalization;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.Sessions.Decisions;

/// <summary>
/// Sees to it that every string and every name in what a box wrote is text. JSON may escape half a surrogate pair, of which no reader here
/// can make text, nor many elsewhere: it becomes U+FFFD. That is as long in JSON, and in UTF-16, so that every offset stays true.
/// </summary>
internal static class UnicodeText
{
    private const int EscapeLength = 6;

    /// <summary>The event itself, unless there is something to mend. Nearly all have no such escape, and cost one search.</summary>
    public static BoxFrame.Event Mend(BoxFrame.Event frame)
    {
        var data = frame.Data.Span;
        if (data.IndexOf("\\u"u8) < 0) return frame;
        byte[]? mended = null;
        for (var at = Escape(data, 0); at >= 0;)
        {
            var length = data[at + 1] == 'u' ? EscapeLength : 2;
            if (length == EscapeLength && char.IsSurrogate(Unit(data, at)))
            {
                if (IsPair(data, at)) length = 2 * EscapeLength;
                else "\\ufffd"u8.CopyTo((mended ??= data.ToArray()).AsSpan(at));
            }

            at = Escape(data, at + length);
        }

        return mended is null ? frame : frame with { Data = mended };
    }

    /// <summary>Where the next escape begins; -1: there is none.</summary>
    private static int Escape(ReadOnlySpan<byte> json, int from) => json[from..].IndexOf((byte)'\\') is >= 0 and var ahead ? from + ahead : -1;

    /// <summary>Whether two escapes that stand side by side are one character.</summary>
    private static bool IsPair(ReadOnlySpan<byte> json, int at) =>
        json[(at + EscapeLength)..].StartsWith("\\u"u8) && char.IsSurrogatePair(Unit(json, at), Unit(json, at + EscapeLength));

    private static char Unit(ReadOnlySpan<byte> json, int at) => (char)ushort.Parse(json.Slice(at + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
