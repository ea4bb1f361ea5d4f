using System.Text;

namespace Coordinator.Sandbox.Events;

/// <summary>A tool's output as an event can carry it. <see cref="Length"/> is the whole's, in bytes of UTF-8.</summary>
internal sealed record CutOutput(string Text, long Length, bool Truncated);

/// <summary>
/// Cuts long output to its head and its tail around a line that says how much is missing. A cut falls neither into a
/// surrogate pair nor into a terminal's escape sequence, which would colour or clear what follows it.
/// </summary>
internal static class OutputCutter
{
    private const char Escape = '\u001b';
    private const int LongestSequence = 64;

    /// <summary>Up to this much is carried whole.</summary>
    public const int MaxBytes = 32 * 1024;

    /// <summary>Bound of a half's escaped form: binary junk grows sixfold when it is escaped, and an event has its limit.</summary>
    private const int MaxEscapedHalf = 20 * 1024;
    private const int HalfBytes = MaxBytes / 2;

    public static CutOutput Cut(string output)
    {
        var length = (long)Encoding.UTF8.GetByteCount(output);
        if (length <= MaxBytes && JsonText.FitFromStart(output, 2 * MaxEscapedHalf) == output.Length) return new(output, length, false);

        var head = HeadLength(output);
        var tail = TailLength(output.AsSpan(head));
        var kept = Encoding.UTF8.GetByteCount(output.AsSpan(0, head)) + Encoding.UTF8.GetByteCount(output.AsSpan(output.Length - tail));
        var text = string.Concat(output.AsSpan(0, head), $"\n… {length - kept} bytes left out …\n", output.AsSpan(output.Length - tail));
        return new(text, length, true);
    }

    private static int HeadLength(ReadOnlySpan<char> output)
    {
        var window = output[..Math.Min(output.Length, HalfBytes)];
        var end = Math.Min(JsonText.FitFromStart(window, MaxEscapedHalf), FitUtf8FromStart(window));
        if (end > 0 && end < output.Length && char.IsSurrogatePair(output[end - 1], output[end])) end--;
        return BeforeOpenSequence(output, end);
    }

    private static int TailLength(ReadOnlySpan<char> output)
    {
        var window = output[^Math.Min(output.Length, HalfBytes)..];
        var length = Math.Min(JsonText.FitFromEnd(window, MaxEscapedHalf), FitUtf8FromEnd(window));
        var start = output.Length - length;
        if (start > 0 && start < output.Length && char.IsSurrogatePair(output[start - 1], output[start])) start++;
        return output.Length - AfterOpenSequence(output, start);
    }

    private static int FitUtf8FromStart(ReadOnlySpan<char> text)
    {
        var bytes = 0;
        var taken = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            bytes += rune.Utf8SequenceLength;
            if (bytes > HalfBytes) break;
            taken += rune.Utf16SequenceLength;
        }

        return taken;
    }

    private static int FitUtf8FromEnd(ReadOnlySpan<char> text)
    {
        var bytes = 0;
        var taken = 0;
        while (taken < text.Length)
        {
            Rune.DecodeLastFromUtf16(text[..^taken], out var rune, out var units);
            bytes += rune.Utf8SequenceLength;
            if (bytes > HalfBytes) break;
            taken += units;
        }

        return taken;
    }

    /// <summary>The start of the escape sequence that a cut at <paramref name="cut"/> would fall into, or the cut itself.</summary>
    private static int BeforeOpenSequence(ReadOnlySpan<char> output, int cut) => OpenSequence(output, cut) is (var start, _) ? start : cut;

    private static int AfterOpenSequence(ReadOnlySpan<char> output, int cut) => OpenSequence(output, cut) is (_, var end) ? end : cut;

    private static (int Start, int End)? OpenSequence(ReadOnlySpan<char> output, int cut)
    {
        var from = Math.Max(0, cut - LongestSequence);
        var start = output[from..cut].LastIndexOf(Escape);
        if (start < 0) return null;
        start += from;
        var end = SequenceEnd(output, start);
        return end > cut ? (start, end) : null;
    }

    /// <summary>One past the end of the sequence that begins at <paramref name="start"/>: <c>ESC [ … letter</c>, or <c>ESC</c> and one character.</summary>
    private static int SequenceEnd(ReadOnlySpan<char> output, int start)
    {
        if (start + 1 >= output.Length) return start + 1;
        if (output[start + 1] != '[') return start + 2;
        var limit = Math.Min(output.Length, start + LongestSequence);
        for (var i = start + 2; i < limit; i++)
        {
            if (output[i] is >= '@' and <= '~') return i + 1;
        }

        return start + 1;
    }
}
