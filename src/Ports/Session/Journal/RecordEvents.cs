using System.Text.Json;

namespace Coordinator.Ports.Session;

/// <summary>
/// Takes the public events out of a stored record. A payload of codec 0 is one JSON object
/// <c>{"facts":[…],"events":[envelope,…]}</c>; the envelopes are handed on as the bytes that were written, so that every
/// reader at any time sees the same bytes; where they are gone <c>events</c> is null.
/// </summary>
public static class RecordEvents
{
    /// <summary>The only way of packing there is yet: plain JSON.</summary>
    public const short JsonCodec = 0;

    /// <summary>The record's events, sharing its payload's memory; null when it has none, or they are gone.</summary>
    /// <exception cref="PortException"><see cref="PortFailureKind.Corrupt"/>: the payload does not hold the events that the record says it does.</exception>
    public static EventBatch? Read(JournalRecord record)
    {
        if (record.LastSeq < record.FirstSeq || record.FirstSeq <= 0) return null;
        if (record.Codec != JsonCodec) throw Corrupt(record, $"codec {record.Codec} is not known to this release");
        try
        {
            return Slice(record);
        }
        catch (JsonException failure)
        {
            throw new PortException(PortFailureKind.Corrupt, $"Record {record.Version} is not JSON.", inner: failure);
        }
    }

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

    private static EventBatch SliceArray(JournalRecord record, ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray) throw Corrupt(record, "its events are not a list");
        var expected = record.LastSeq - record.FirstSeq + 1;
        var start = (int)reader.BytesConsumed;
        var end = start;
        var slices = new List<EventSlice>((int)Math.Min(expected, 4_096));
        while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
        {
            var from = (int)reader.TokenStartIndex;
            reader.Skip();
            end = (int)reader.BytesConsumed;
            slices.Add(new(record.FirstSeq + slices.Count, from - start, end - from));
        }

        if (reader.TokenType != JsonTokenType.EndArray || slices.Count != expected) throw Corrupt(record, $"it holds {slices.Count} events, not {expected}");
        return new(record.FirstSeq, record.LastSeq, record.Payload[start..end], slices);
    }

    private static PortException Corrupt(JournalRecord record, string why) =>
        new(PortFailureKind.Corrupt, $"Record {record.Version} cannot be read: {why}.");
}
