using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;

namespace Coordinator.Ports.Models.Relaying;

/// <summary>
/// The form in which a host hands the answer of a model call to a box that asks for it with <see cref="RequestHeader"/>: 200 and
/// <see cref="ContentType"/> at once, then frames, so that a provider that thinks for minutes can be told from a host that hangs.
/// A frame is its kind (one byte), its length (four bytes, big-endian) and so many bytes. There are pings, at least every
/// <see cref="PingEvery"/> as long as nothing else is under way; one head, the status and the headers of the answer; data; and an end,
/// without which the answer has broken off. Who reads passes over kinds that it does not know.
/// </summary>
public static class RelayedAnswer
{
    /// <summary>The request header that asks for the form, with the value <see cref="Form"/>.</summary>
    public const string RequestHeader = "Coordinator-Answer-Form";

    /// <summary>The form's name.</summary>
    public const string Form = "relayed";

    /// <summary>The content type of an answer that has the form.</summary>
    public const string ContentType = "application/vnd.coordinator.relayed-answer";

    /// <summary>The largest head, in bytes.</summary>
    public const int LargestHead = 64 * 1024;

    internal const int PrefixBytes = 5;

    internal const byte Ping = (byte)'p';

    internal const byte Head = (byte)'h';

    internal const byte Data = (byte)'d';

    internal const byte End = (byte)'e';

    /// <summary>How often something comes at least.</summary>
    public static readonly TimeSpan PingEvery = TimeSpan.FromSeconds(3);

    /// <summary>A host from which nothing came for so long hangs, or cannot be reached any more.</summary>
    public static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(8);

    /// <summary>Writes a frame that says nothing but that its host is there.</summary>
    public static void WritePing(IBufferWriter<byte> output) => WritePrefix(output, Ping, 0);

    /// <summary>Writes the head, which comes before all data, once.</summary>
    public static void WriteHead(IBufferWriter<byte> output, RelayedHead head)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(head, RelayedHeadJson.Default.RelayedHead);
        WritePrefix(output, Head, json.Length);
        output.Write(json);
    }

    /// <summary>Writes a piece of the answer's body.</summary>
    public static void WriteData(IBufferWriter<byte> output, ReadOnlySpan<byte> piece)
    {
        WritePrefix(output, Data, piece.Length);
        output.Write(piece);
    }

    /// <summary>Writes that this was all of the answer.</summary>
    public static void WriteEnd(IBufferWriter<byte> output) => WritePrefix(output, End, 0);

    private static void WritePrefix(IBufferWriter<byte> output, byte kind, int length)
    {
        var prefix = output.GetSpan(PrefixBytes);
        prefix[0] = kind;
        BinaryPrimitives.WriteInt32BigEndian(prefix[1..], length);
        output.Advance(PrefixBytes);
    }
}
