using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.Sessions.State;

/// <summary>
/// What an agent said of one part without anything between, however it was cut into pieces: the first event and the last, where it begins,
/// and a hash over the text as it stands in the JSON, by blocks of <see cref="BlockBytes"/>: <c>t' = SHA-256(t ‖ block)</c>, from 32 zero
/// bytes. Its hash is <c>SHA-256(t ‖ type ␊ message ␊ from ␊ seq ␊ at ␊ offset ␊ part)</c>.
/// </summary>
public sealed record SpokenText
{
    public const int BlockBytes = 512;

    public required string Type { get; init; }

    public required string Message { get; init; }

    public required string Part { get; init; }

    /// <summary>When the first event was written.</summary>
    public required string At { get; init; }

    public required long From { get; init; }

    public required long Seq { get; init; }

    public required long Offset { get; init; }

    /// <summary>Where its text ends by now.</summary>
    public required long End { get; init; }

    /// <summary>Over the blocks that are whole.</summary>
    public required byte[] Blocks { get; init; }

    /// <summary>The text behind them, shorter than a block.</summary>
    public required byte[] Rest { get; init; }

    public static SpokenText Begin(in TextDelta delta) => Take(
        new()
        {
            Type = Encoding.UTF8.GetString(delta.Type),
            Message = Encoding.UTF8.GetString(delta.Message),
            Part = Encoding.UTF8.GetString(delta.Part),
            At = Encoding.UTF8.GetString(delta.At),
            From = delta.From,
            Seq = delta.Seq,
            Offset = delta.Offset,
            End = delta.End,
            Blocks = new byte[SHA256.HashSizeInBytes],
            Rest = [],
        },
        delta);

    /// <summary>The next piece of the same, right behind it.</summary>
    public bool GoesOnWith(in TextDelta delta) =>
        delta.From == Seq + 1 && delta.Offset == End && Is(delta.Type, Type) && Is(delta.Message, Message) && Is(delta.Part, Part);

    public SpokenText Add(in TextDelta delta) => Take(this, delta);

    public void Hash(Span<byte> hash)
    {
        var blocks = Rest.Length == 0 ? Blocks : HashOf(Blocks, Rest);
        var head = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Type}\n{Message}\n{From}\n{Seq}\n{At}\n{Offset}\n{Part}"));
        HashOf(blocks, head).CopyTo(hash);
    }

    public bool Equals(SpokenText? other) =>
        other is not null && (Type, Message, Part, At, From, Seq, Offset, End) == (other.Type, other.Message, other.Part, other.At, other.From, other.Seq, other.Offset, other.End)
        && Blocks.AsSpan().SequenceEqual(other.Blocks) && Rest.AsSpan().SequenceEqual(other.Rest);

    public override int GetHashCode() => HashCode.Combine(Seq, End);

    private static SpokenText Take(SpokenText spoken, in TextDelta delta)
    {
        var text = delta.Text;
        if (spoken.Rest.Length + text.Length < BlockBytes) return spoken with { Seq = delta.Seq, End = delta.End, Rest = [.. spoken.Rest, .. text] };
        var first = BlockBytes - spoken.Rest.Length;
        var blocks = HashOf(spoken.Blocks, [.. spoken.Rest, .. text[..first]]);
        for (text = text[first..]; text.Length >= BlockBytes; text = text[BlockBytes..]) blocks = HashOf(blocks, text[..BlockBytes]);
        return spoken with { Seq = delta.Seq, End = delta.End, Blocks = blocks, Rest = text.ToArray() };
    }

    private static byte[] HashOf(ReadOnlySpan<byte> before, ReadOnlySpan<byte> block)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(before);
        hash.AppendData(block);
        return hash.GetHashAndReset();
    }

    private static bool Is(ReadOnlySpan<byte> text, string known)
    {
        if (known.Length > 256) return Encoding.UTF8.GetString(text) == known;
        Span<byte> utf8 = stackalloc byte[3 * 256];
        return text.SequenceEqual(utf8[..Encoding.UTF8.GetBytes(known, utf8)]);
    }
}
