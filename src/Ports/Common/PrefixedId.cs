using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Coordinator.Ports;

/// <summary>
/// The text form every id shares: three letters, an underscore, and the 128 bits of a UUID as 26 characters of
/// lower-case Crockford base32 (<c>[a-z]{3}_[0-9a-z]{26}</c>). Time-ordered, because the UUIDs are version 7.
/// </summary>
public static class PrefixedId
{
    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

    /// <summary>Length of any id's text form.</summary>
    public const int TextLength = 30;

    /// <summary>Writes <paramref name="value"/> as <c>prefix_…26 characters…</c>.</summary>
    public static string Format(string prefix, Guid value)
    {
        Span<byte> bytes = stackalloc byte[16];
        value.TryWriteBytes(bytes, bigEndian: true, out _);
        var bits = new UInt128(BitConverter.IsLittleEndian ? System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(bytes) : BitConverter.ToUInt64(bytes),
            System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));
        Span<char> text = stackalloc char[TextLength];
        prefix.CopyTo(text);
        text[3] = '_';
        for (var i = TextLength - 1; i >= 4; i--)
        {
            text[i] = Alphabet[(int)(bits & 31)];
            bits >>= 5;
        }

        return new string(text);
    }

    /// <summary>Reads what <see cref="Format"/> writes; false for any other text, prefix or character.</summary>
    public static bool TryParse(string prefix, [NotNullWhen(true)] string? text, out Guid value)
    {
        value = default;
        if (text is null || text.Length != TextLength || text[3] != '_' || !text.AsSpan(0, 3).SequenceEqual(prefix)) return false;
        UInt128 bits = 0;
        for (var i = 4; i < TextLength; i++)
        {
            var digit = Alphabet.IndexOf(text[i], StringComparison.Ordinal);
            if (digit < 0 || (i == 4 && digit > 7)) return false;
            bits = (bits << 5) | (uint)digit;
        }

        Span<byte> bytes = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt128BigEndian(bytes, bits);
        value = new Guid(bytes, bigEndian: true);
        return true;
    }

    /// <summary>A new time-ordered UUID at the clock's time.</summary>
    public static Guid NewValue(TimeProvider time) => Guid.CreateVersion7(time.GetUtcNow());

    /// <summary>
    /// The same UUID (version 8) for the same parts, in any process: so that a retry of a request meets what the
    /// first try made. Parts are length-prefixed, so no two lists of parts collide by concatenation.
    /// </summary>
    public static Guid Derive(string purpose, params ReadOnlySpan<string> parts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, purpose);
        foreach (var part in parts) Append(hash, part);
        Span<byte> digest = stackalloc byte[32];
        hash.GetHashAndReset(digest);
        digest[6] = (byte)((digest[6] & 0x0F) | 0x80);
        digest[8] = (byte)((digest[8] & 0x3F) | 0x80);
        return new Guid(digest[..16], bigEndian: true);
    }

    private static void Append(IncrementalHash hash, string part)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(part);
        Span<byte> length = stackalloc byte[4];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(length, bytes.Length);
        hash.AppendData(length);
        hash.AppendData(bytes);
    }
}
