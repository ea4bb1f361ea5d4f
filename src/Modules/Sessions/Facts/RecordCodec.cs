using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Coordinator.Ports.Session;

namespace Coordinator.Modules.Sessions.Facts;

/// <summary>
/// The payload of a record: <c>{"facts":[…],"events":[{envelope},…]}</c> in UTF-8. Events stand in it as the
/// very bytes that clients are shown.
/// </summary>
public static class RecordCodec
{
    /// <summary>Steps from an older schema to the next, by the version they read; a reader applies them in turn.</summary>
    private static readonly Dictionary<short, Func<JsonObject, JsonObject>> Upcasters = [];

    public static ReadOnlyMemory<byte> Encode(IReadOnlyList<Fact> facts, ReadOnlySpan<byte> events)
    {
        var buffer = new ArrayBufferWriter<byte>(256 + events.Length);
        buffer.Write("{\"facts\":["u8);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            for (var i = 0; i < facts.Count; i++)
            {
                if (i > 0) buffer.Write(","u8);
                writer.Reset(buffer);
                JsonSerializer.Serialize(writer, facts[i], FactJson.Default.Fact);
                writer.Flush();
            }
        }

        buffer.Write("],\"events\":["u8);
        buffer.Write(events);
        buffer.Write("]}"u8);
        return buffer.WrittenMemory;
    }

    /// <summary>The facts of a record, and the record as the present schema would have written it.</summary>
    public static DecodedRecord Decode(JournalRecord record)
    {
        if (!RecordEvents.Knows(record.Codec)) throw new UnknownRecordException($"Record {record.Version} is packed with codec {record.Codec}, which this release does not read.");
        if (record.Schema > JournalRecord.CurrentSchema) throw new UnknownRecordException($"Record {record.Version} has schema {record.Schema}; this release reads up to {JournalRecord.CurrentSchema}.");
        if (record.Schema < JournalRecord.CurrentSchema) record = record with { Payload = Upcast(record), Schema = JournalRecord.CurrentSchema };
        var reader = new Utf8JsonReader(record.Payload.Span);
        List<Fact> facts = [];
        Expect(ref reader, JsonTokenType.StartObject, record);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("facts"u8)) ReadFacts(ref reader, facts, record);
            else if (reader.ValueTextEquals("events"u8)) reader.Skip();
            else throw new UnknownRecordException($"Record {record.Version} has a part this release does not know.");
        }

        return new(facts, record);
    }

    private static ReadOnlyMemory<byte> Upcast(JournalRecord record)
    {
        var node = JsonNode.Parse(record.Payload.Span)?.AsObject() ?? throw new UnknownRecordException($"Record {record.Version} is empty.");
        for (var schema = record.Schema; schema < JournalRecord.CurrentSchema; schema++)
        {
            if (!Upcasters.TryGetValue(schema, out var step)) throw new UnknownRecordException($"Record {record.Version} has schema {schema}, which no upcaster reads.");
            node = step(node);
        }

        return JsonSerializer.SerializeToUtf8Bytes(node, FactJson.Default.JsonObject);
    }

    private static void ReadFacts(ref Utf8JsonReader reader, List<Fact> facts, JournalRecord record)
    {
        Expect(ref reader, JsonTokenType.StartArray, record);
        while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
        {
            try
            {
                facts.Add(JsonSerializer.Deserialize(ref reader, FactJson.Default.Fact)!);
            }
            catch (Exception e) when (e is JsonException or NotSupportedException)
            {
                throw new UnknownRecordException($"Record {record.Version} holds a fact this release does not know: {e.Message}");
            }
        }
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType token, JournalRecord record)
    {
        if (!reader.Read() || reader.TokenType != token) throw new UnknownRecordException($"Record {record.Version} is not of the shape this release reads.");
    }
}

/// <summary>A record's facts; its events are read from <see cref="Record"/> by <see cref="RecordEvents"/>.</summary>
public sealed record DecodedRecord(IReadOnlyList<Fact> Facts, JournalRecord Record);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Fact))]
[JsonSerializable(typeof(State.SessionState))]
[JsonSerializable(typeof(JsonObject))]
internal sealed partial class FactJson : JsonSerializerContext;
