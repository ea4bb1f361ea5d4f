using System.Text;
using System.Text.Json;

namespace Coordinator.Ports.Session;

/// <summary>
/// The envelope of a piece of an agent's text, read without a copy: an <c>agent.text</c> or <c>agent.reasoning</c> with <c>part</c>,
/// <c>offset</c> and <c>text</c>, and nothing that is not known. Strings are as they stand in the JSON, their escapes included: what two
/// pieces say together is then the one text behind the other.
/// </summary>
public readonly ref struct TextDelta
{
    /// <summary>As written, of the last event it covers.</summary>
    public ReadOnlySpan<byte> Cursor { get; private init; }

    /// <summary>The first event that it covers: <see cref="Seq"/>, unless some were merged.</summary>
    public long From { get; private init; }

    /// <summary>The last event that it covers.</summary>
    public long Seq { get; private init; }

    /// <summary>When the first of them was written.</summary>
    public ReadOnlySpan<byte> At { get; private init; }

    /// <summary>Which of the two it is.</summary>
    public ReadOnlySpan<byte> Type { get; private init; }

    /// <summary>The message that it answers.</summary>
    public ReadOnlySpan<byte> Message { get; private init; }

    /// <summary>Which part of the answer it is of.</summary>
    public ReadOnlySpan<byte> Part { get; private init; }

    /// <summary>Where its text begins in the part, in UTF-16 units.</summary>
    public long Offset { get; private init; }

    /// <summary>Where its text ends.</summary>
    public long End { get; private init; }

    /// <summary>What is said.</summary>
    public ReadOnlySpan<byte> Text { get; private init; }

    /// <summary>False for every other envelope.</summary>
    public static bool TryRead(ReadOnlySpan<byte> envelope, out TextDelta delta)
    {
        var reader = new Utf8JsonReader(envelope);
        TextDelta read = default;
        delta = default;
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject || !TryReadObject(ref reader, ref read) || reader.Read()) return false;
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            return false; // no JSON, or a name in it is no Unicode
        }

        delta = read;
        return true;
    }

    private static bool TryReadObject(ref Utf8JsonReader reader, ref TextDelta delta)
    {
        var seen = Members.None;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var member = MemberOf(ref reader);
            if (member == Members.None || (seen & member) != 0 || !reader.Read() || !TryTake(ref reader, member, ref delta)) return false;
            seen |= member;
        }

        if ((seen | Members.From) != Members.All) return false;
        if ((seen & Members.From) == 0) delta = delta with { From = delta.Seq };
        return delta.From > 0 && delta.From <= delta.Seq;
    }

    private static bool TryTake(ref Utf8JsonReader reader, Members member, ref TextDelta delta)
    {
        if (member == Members.Data) return reader.TokenType == JsonTokenType.StartObject && TryReadData(ref reader, ref delta);
        if (member is Members.Seq or Members.From)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var number)) return false;
            delta = member == Members.Seq ? delta with { Seq = number } : delta with { From = number };
            return true;
        }

        if (reader.TokenType != JsonTokenType.String) return false;
        switch (member)
        {
            case Members.Cursor:
                delta = delta with { Cursor = reader.ValueSpan };
                return true;
            case Members.At:
                delta = delta with { At = reader.ValueSpan };
                return true;
            case Members.Message:
                delta = delta with { Message = reader.ValueSpan };
                return true;
            default:
                delta = delta with { Type = reader.ValueSpan };
                return delta.Type.SequenceEqual("agent.text"u8) || delta.Type.SequenceEqual("agent.reasoning"u8);
        }
    }

    private static bool TryReadData(ref Utf8JsonReader reader, ref TextDelta delta)
    {
        var (hasPart, hasOffset, hasText) = (false, false, false);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var (isPart, isOffset, isText) = (reader.ValueTextEquals("part"u8), reader.ValueTextEquals("offset"u8), reader.ValueTextEquals("text"u8));
            reader.Read();
            if (isPart && !hasPart && reader.TokenType == JsonTokenType.String)
                delta = delta with { Part = reader.ValueSpan };
            else if (isText && !hasText && reader.TokenType == JsonTokenType.String)
                delta = delta with { Text = reader.ValueSpan };
            else if (isOffset && !hasOffset && reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var offset) && offset is >= 0 and <= int.MaxValue)
                delta = delta with { Offset = offset };
            else
                return false;
            (hasPart, hasOffset, hasText) = (hasPart || isPart, hasOffset || isOffset, hasText || isText);
        }

        if (!hasPart || !hasOffset || !hasText) return false;
        delta = delta with { End = delta.Offset + UnitsOf(delta.Text) };
        return true;
    }

    /// <summary>How many UTF-16 units the text of a JSON string has: each escape is one.</summary>
    private static long UnitsOf(ReadOnlySpan<byte> text)
    {
        var units = 0L;
        while (text.IndexOf((byte)'\\') is >= 0 and var escape)
        {
            units += Encoding.UTF8.GetCharCount(text[..escape]) + 1;
            text = text[(escape + (text[escape + 1] == 'u' ? 6 : 2))..];
        }

        return units + Encoding.UTF8.GetCharCount(text);
    }

    private static Members MemberOf(ref Utf8JsonReader reader) =>
        reader.ValueTextEquals("cursor"u8) ? Members.Cursor
        : reader.ValueTextEquals("seq"u8) ? Members.Seq
        : reader.ValueTextEquals("from"u8) ? Members.From
        : reader.ValueTextEquals("at"u8) ? Members.At
        : reader.ValueTextEquals("type"u8) ? Members.Type
        : reader.ValueTextEquals("messageId"u8) ? Members.Message
        : reader.ValueTextEquals("data"u8) ? Members.Data
        : Members.None;

    [Flags]
    private enum Members
    {
        None = 0,
        Cursor = 1,
        Seq = 2,
        From = 4,
        At = 8,
        Type = 16,
        Message = 32,
        Data = 64,
        All = 127,
    }
}
