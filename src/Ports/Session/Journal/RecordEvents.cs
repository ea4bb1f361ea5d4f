using System.Text.Json;

namespace Coordinator.Ports.Session;

/// <summary>
/// Takes the public events out of a stored record. A payload is one JSON object
/// <c>{"facts":[…],"events":[envelope,…]}</c>; the envelopes are handed on as the bytes that were written, so that every
/// reader at any time sees the same bytes; where they are gone <c>events</c> is null. The codec says whether each event of the record's
/// range stands in it, or some are told by another that covers them (<see cref="EventMerge"/>).
/// </summary>
public static class RecordEvents
{
    /// <summary>Plain JSON, each event by itself.</summary>
    public const short JsonCodec = 0;

    /// <summary>Plain JSON; an event may cover others before it, of earlier records too, and some may be covered by one of a later record.</summary>
    public const short MergedCodec = 1;

    /// <summary>Plain JSON; every event of the record's range is covered by one of a later record, and <c>events</c> is empty.</summary>
    public const short CoveredCodec = 2;

    /// <summary>Whether this release can read it.</summary>
    public static bool Knows(short codec) => codec is JsonCodec or MergedCodec or CoveredCodec;

    /// <summary>Whether the record had events of its own that stand in it no more: they are gone, or in an archive.</summary>
    public static bool AreGone(JournalRecord record) => record.LastSeq >= record.FirstSeq && record.Payload.Span.EndsWith("\"events\":null}"u8);

    /// <summary>The record's events, sharing its payload's memory; null when it has none, they are gone, or a later record tells them.</summary>
    /// <exception cref="PortException"><see cref="PortFailureKind.Corrupt"/>: the payload does not hold the events that the record says it does.</exception>
    public static EventBatch? Read(JournalRecord record)
    {
        if (record.LastSeq < record.FirstSeq || record.FirstSeq <= 0) return null;
        if (!Knows(record.Codec)) throw Corrupt(record, $"codec {record.Codec} is not known to this release");
        try
        {
            return Slice(record);
        }
        catch (JsonException failure)
        {
            throw new PortException(PortFailureKind.Corrupt, $"Record {record.Version} is not JSON.", inner: failure);
        }
    }

    /// <summary>
    /// The record's public events above <paramref name="seq"/>, for whoever has had those up to it and began where none was gone; null when it tells none of them.
    /// </summary>
    /// <exception cref="PortException">
    /// Those that follow on <paramref name="seq"/> were removed since (<see cref="Removed"/>); or <see cref="PortFailureKind.Corrupt"/>, as <see cref="Read"/>.
    /// </exception>
    public static EventBatch? ReadAfter(JournalRecord record, long seq)
    {
        if (AreGone(record) && record.LastSeq > seq) throw Removed($"record {record.Version}");
        var batch = Read(record);
        return batch?.FirstSeq > seq + 1 ? throw Removed($"what stands before record {record.Version}") : batch?.After(seq);
    }

    /// <summary>What is said of events that were removed between the look at where they begin (<see cref="SessionHead.Floor"/>) and their reading: the next look finds that the place is gone.</summary>
    public static PortException Removed(string of) => new(PortFailureKind.Unavailable, $"Events of {of} were removed while they were read.")
    {
        Told = new("cursor_invalid", "This cursor is not of the session as it stands now; load the session anew.", ProblemKind.Gone),
    };

    private static EventBatch? Slice(JournalRecord record)
    {
        var reader = new Utf8JsonReader(record.Payload.Span);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) throw Corrupt(record, "it is not an object");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isEvents = reader.ValueTextEquals("events"u8);
            reader.Read();
            if (isEvents) return reader.TokenType == JsonTokenType.Null ? null : SliceArray(record, ref reader);
            reader.Skip();
        }

        throw Corrupt(record, "it has no events");
    }

    private static EventBatch? SliceArray(JournalRecord record, ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray) throw Corrupt(record, "its events are not a list");
        var expected = record.LastSeq - record.FirstSeq + 1;
        var start = (int)reader.BytesConsumed;
        var end = start;
        var slices = new List<EventSlice>(record.Codec == JsonCodec ? (int)Math.Min(expected, 4_096) : 1);
        var first = record.FirstSeq;
        while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
        {
            var from = (int)reader.TokenStartIndex;
            reader.Skip();
            end = (int)reader.BytesConsumed;
            var (covers, seq) = record.Codec == JsonCodec ? (0, record.FirstSeq + slices.Count) : RangeOf(record, record.Payload.Span[from..end]);
            if (slices.Count == 0 && covers > 0) first = covers;
            if (slices.Count > 0 && seq <= slices[^1].Seq) throw Corrupt(record, "its events are not in order");
            slices.Add(new(seq, from - start, end - from));
        }

        if (reader.TokenType != JsonTokenType.EndArray || (record.Codec == JsonCodec && slices.Count != expected)) throw Corrupt(record, $"it holds {slices.Count} events, not {expected}");
        if (record.Codec == CoveredCodec && slices.Count > 0) throw Corrupt(record, "it holds events that another record is to tell");
        return slices.Count == 0 ? null : new(first, slices[^1].Seq, record.Payload[start..end], slices);
    }

    /// <summary>Which events an envelope covers: its own number, and the first of them where it is merged.</summary>
    private static (long From, long Seq) RangeOf(JournalRecord record, ReadOnlySpan<byte> envelope)
    {
        var reader = new Utf8JsonReader(envelope);
        var (from, seq) = (0L, 0L);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var (isSeq, isFrom) = (reader.ValueTextEquals("seq"u8), reader.ValueTextEquals("from"u8));
            reader.Read();
            if (isSeq || isFrom)
            {
                if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var number)) throw Corrupt(record, "an event of it has no number");
                (from, seq) = isSeq ? (from, number) : (number, seq);
            }

            reader.Skip();
        }

        if (seq < record.FirstSeq || seq > record.LastSeq || from > seq) throw Corrupt(record, $"an event of it is number {seq}");
        return (from == 0 ? seq : from, seq);
    }

    private static PortException Corrupt(JournalRecord record, string why) =>
        new(PortFailureKind.Corrupt, $"Record {record.Version} cannot be read: {why}.");
}
