using System.Buffers;
using System.Globalization;
using System.Text;

namespace Coordinator.Ports.Session;

/// <summary>
/// Merges what an agent said piece by piece: adjacent pieces of one part, each beginning where the one before it ends, become one event
/// that covers them (<c>from</c> the first, <c>seq</c> the last), of at most <see cref="MaxBytes"/>. A pure function of the events, however
/// they stood in records: it leaves every part's text and the sequence numbers as they are, changes nothing a second time, and does the
/// same to a whole as to its beginning merged already and then the rest. What begins beyond the end of its part, where something was lost,
/// stays in pieces: clients put such text at the end, and told of it twice they would have it twice.
/// </summary>
public sealed class EventMerge
{
    /// <summary>No event is larger, merged or not.</summary>
    public const int MaxBytes = 64 * 1024;

    /// <summary>More than the rest of an envelope takes beside its part and its text.</summary>
    private const int Frame = 512;

    private readonly ArrayBufferWriter<byte> text = new();

    /// <summary>How long the text of each part is by now, as clients have it.</summary>
    private readonly Dictionary<string, long> lengths = new(StringComparer.Ordinal);
    private byte[] type = [];
    private byte[] message = [];
    private byte[] part = [];
    private byte[] at = [];
    private string cursor = string.Empty;
    private string key = string.Empty;
    private long from;
    private long seq;
    private long offset;
    private long end;

    /// <summary>How many envelopes the open event is made of; 0: none is open.</summary>
    public int Count { get; private set; }

    /// <summary>
    /// Adds an envelope to the open event, or begins one with it. False: it does not go on with the open one, which is to be closed before
    /// the envelope is tried again; or none is open, and it stays as it was written.
    /// </summary>
    public bool TryAdd(ReadOnlySpan<byte> envelope)
    {
        if (!TextDelta.TryRead(envelope, out var delta))
        {
            if (Count == 0 && envelope.IndexOf("\"agent."u8) >= 0) lengths.Clear(); // maybe text in a way that is not known here
            return false;
        }

        if (Count > 0 ? !Continues(delta) : !Begin(delta)) return false;
        text.Write(delta.Text);
        (seq, end, cursor) = (delta.Seq, delta.End, Encoding.UTF8.GetString(delta.Cursor));
        Count++;
        return true;
    }

    /// <summary>Ends the open event; null when it is one envelope alone, which stays as it was written.</summary>
    public ReadOnlyMemory<byte>? Close()
    {
        var merged = Count > 1 ? Write() : (ReadOnlyMemory<byte>?)null;
        if (Count > 0) lengths[key] = end;
        Count = 0;
        text.ResetWrittenCount();
        return merged;
    }

    /// <summary>The merged form of consecutive envelopes.</summary>
    public static IReadOnlyList<ReadOnlyMemory<byte>> Of(IEnumerable<ReadOnlyMemory<byte>> envelopes)
    {
        var (merge, merged, last) = (new EventMerge(), new List<ReadOnlyMemory<byte>>(), ReadOnlyMemory<byte>.Empty);
        foreach (var envelope in envelopes)
        {
            if (merge.Count == 0 || !merge.TryAdd(envelope.Span))
            {
                if (merge.Count > 0) merged.Add(merge.Close() ?? last);
                if (!merge.TryAdd(envelope.Span)) merged.Add(envelope);
            }

            last = envelope;
        }

        if (merge.Count > 0) merged.Add(merge.Close() ?? last);
        return merged;
    }

    private bool Continues(in TextDelta delta) =>
        delta.From == seq + 1 && delta.Offset == end && delta.Type.SequenceEqual(type) && delta.Message.SequenceEqual(message) && delta.Part.SequenceEqual(part)
        && text.WrittenCount + delta.Text.Length + part.Length + Frame <= MaxBytes;

    private bool Begin(in TextDelta delta)
    {
        key = $"{Encoding.UTF8.GetString(delta.Type)} {Encoding.UTF8.GetString(delta.Message)} {Encoding.UTF8.GetString(delta.Part)}";
        var length = lengths.GetValueOrDefault(key);
        if (delta.Offset > length)
        {
            lengths[key] = length + delta.End - delta.Offset;
            return false;
        }

        (from, offset) = (delta.From, delta.Offset);
        (type, message, part, at) = (delta.Type.ToArray(), delta.Message.ToArray(), delta.Part.ToArray(), delta.At.ToArray());
        return true;
    }

    private byte[] Write() =>
    [
        .. Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{{\"cursor\":\"{cursor}\",\"seq\":{seq},\"from\":{from},\"at\":\"")), .. at,
        .. "\",\"type\":\""u8, .. type, .. "\",\"messageId\":\""u8, .. message, .. "\",\"data\":{\"part\":\""u8, .. part,
        .. Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"\",\"offset\":{offset},\"text\":\"")), .. text.WrittenSpan, .. "\"}}"u8,
    ];
}
