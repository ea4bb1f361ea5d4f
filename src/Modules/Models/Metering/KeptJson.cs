using System.Buffers;
using System.Numerics;
using Coordinator.Ports;

namespace Coordinator.Modules.Models.Metering;

/// <summary>
/// What is kept of one JSON text that comes in pieces cut anywhere, so that its usage can be read once all of it has come. A
/// string longer than any that counts is kept as an empty one, and what is nested deeper than any usage as an empty array or
/// object: an answer's text and its images take no room here, however large they are. Who wrote the rest is not trusted
/// either: beyond a little it grows as <c>room</c> allows, and never beyond its bound.
/// </summary>
/// <param name="room">Asked for so many more bytes, which are given back with the call; the problem when there are none.</param>
internal sealed class KeptJson(Func<int, Problem?> room) : IDisposable
{
    /// <summary>The most that is kept.</summary>
    public const int Most = 1024 * 1024;

    /// <summary>What each call may keep without asking, so that an ordinary answer is never cut for want of room. How many calls there are is bounded.</summary>
    public const int Free = 64 * 1024;

    private const int First = 1024;

    /// <summary>Above the longest name that counts with each of its characters escaped.</summary>
    private const int LongestString = 256;

    /// <summary>As many containers stand around what the details of a usage say, in an event that has its usage inside a response.</summary>
    private const int Deepest = 4;

    private static readonly SearchValues<byte> Structure = SearchValues.Create("\"{}[]"u8);
    private static readonly SearchValues<byte> StringEnds = SearchValues.Create("\"\\"u8);

    private byte[] buffer = [];
    private int length;
    private int asked;
    private long depth;

    private Text text;

    /// <summary>Where the content of the string under way begins in what is kept.</summary>
    private int textStart;

    /// <summary>Why no more is kept; then what is kept is not the whole, and stays so.</summary>
    public Problem? Refusal { get; private set; }

    public ReadOnlySpan<byte> Kept => buffer.AsSpan(0, length);

    private enum Text
    {
        None,
        Short,
        ShortEscape,
        Long,
        LongEscape,
    }

    public void Add(ReadOnlySpan<byte> piece)
    {
        while (!piece.IsEmpty && Refusal is null) piece = piece[(text == Text.None ? AddStructure(piece) : AddText(piece))..];
    }

    /// <summary>The next text begins.</summary>
    public void Clear() => (length, depth, text) = (0, 0, Text.None);

    public void Dispose()
    {
        if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
        (buffer, length) = ([], 0);
    }

    private int AddStructure(ReadOnlySpan<byte> piece)
    {
        var at = piece.IndexOfAny(Structure);
        if (at < 0)
        {
            Keep(piece);
            return piece.Length;
        }

        var isEnd = piece[at] is (byte)'}' or (byte)']';
        Keep(piece[..at]);
        if (isEnd) depth--;
        Keep(piece.Slice(at, 1)); // of what is too deep its brackets stay, for a value has to stand there
        if (piece[at] == (byte)'"') (text, textStart) = (Text.Short, length);
        else if (!isEnd) depth++;
        return at + 1;
    }

    private int AddText(ReadOnlySpan<byte> piece)
    {
        if (text is Text.ShortEscape or Text.LongEscape)
        {
            text = text == Text.ShortEscape ? Text.Short : Text.Long;
            KeepText(piece[..1]);
            return 1;
        }

        var at = piece.IndexOfAny(StringEnds);
        if (at < 0)
        {
            KeepText(piece);
            return piece.Length;
        }

        if (piece[at] == (byte)'"')
        {
            KeepText(piece[..at]);
            Keep(piece.Slice(at, 1));
            text = Text.None;
            return at + 1;
        }

        KeepText(piece[..(at + 1)]);
        text = text == Text.Long ? Text.LongEscape : Text.ShortEscape;
        return at + 1;
    }

    private void KeepText(ReadOnlySpan<byte> part)
    {
        if (text == Text.Long) return;
        if (length - textStart + part.Length > LongestString) (text, length) = (Text.Long, textStart);
        else Keep(part);
    }

    private void Keep(ReadOnlySpan<byte> part)
    {
        if (depth > Deepest || (length + part.Length > buffer.Length && !Grow(length + part.Length))) return;
        part.CopyTo(buffer.AsSpan(length));
        length += part.Length;
    }

    private bool Grow(int needed)
    {
        if (needed > Most)
        {
            Refusal = new("model_answer_too_large", $"What it says beside its text is more than the {Most / 1024} KiB that are kept to count it by.", ProblemKind.TooLarge);
            return false;
        }

        var size = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(needed, First));
        var more = Math.Max(0, size - Free) - asked;
        if (more > 0 && room(more) is { } refused)
        {
            Refusal = refused;
            return false;
        }

        asked += Math.Max(0, more);
        var larger = ArrayPool<byte>.Shared.Rent(size);
        Kept.CopyTo(larger);
        if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
        buffer = larger;
        return true;
    }
}
