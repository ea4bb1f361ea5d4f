using System.Text.Json;

namespace Coordinator.Modules.Models.Metering;

/// <summary>
/// A <c>usage</c> object as any of the wires writes it. What a later object leaves out stays as the earlier one said, so
/// the parts of a stream add up to the whole.
/// </summary>
internal sealed class RawUsage
{
    private long? input;
    private long? output;
    private long? reasoning;
    private long? cacheRead;
    private long? cacheWrite;

    /// <summary>Nothing has been reported yet.</summary>
    public bool IsEmpty => input is null && output is null;

    /// <summary>Reads the object that <paramref name="reader"/> stands on, to its end. Anything that is not an object is skipped.</summary>
    public void Read(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = FieldOf(ref reader);
            reader.Read();
            if (field == Field.Details) Read(ref reader);
            else Take(field, ref reader);
        }
    }

    /// <summary>
    /// The counts in our terms. OpenAI's wires count cached tokens among the input, Anthropic's beside it.
    /// </summary>
    public TokenCounts Normalize(bool inputIncludesCache)
    {
        var read = cacheRead ?? 0;
        var write = cacheWrite ?? 0;
        var fresh = inputIncludesCache ? Math.Max(0, (input ?? 0) - read) : input ?? 0;
        return new(fresh, output ?? 0, Math.Min(reasoning ?? 0, output ?? 0), read, write);
    }

    private static Field FieldOf(ref Utf8JsonReader reader)
    {
        if (reader.ValueTextEquals("prompt_tokens"u8) || reader.ValueTextEquals("input_tokens"u8)) return Field.Input;
        if (reader.ValueTextEquals("completion_tokens"u8) || reader.ValueTextEquals("output_tokens"u8)) return Field.Output;
        if (reader.ValueTextEquals("reasoning_tokens"u8)) return Field.Reasoning;
        if (reader.ValueTextEquals("cached_tokens"u8) || reader.ValueTextEquals("cache_read_input_tokens"u8)) return Field.CacheRead;
        if (reader.ValueTextEquals("cache_creation_input_tokens"u8)) return Field.CacheWrite;
        return reader.ValueTextEquals("prompt_tokens_details"u8) || reader.ValueTextEquals("input_tokens_details"u8)
            || reader.ValueTextEquals("completion_tokens_details"u8) || reader.ValueTextEquals("output_tokens_details"u8)
            ? Field.Details
            : Field.Other;
    }

    private void Take(Field field, ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var count) || count < 0)
        {
            reader.Skip();
            return;
        }

        switch (field)
        {
            case Field.Input: input = count; break;
            case Field.Output: output = count; break;
            case Field.Reasoning: reasoning = count; break;
            case Field.CacheRead: cacheRead = count; break;
            case Field.CacheWrite: cacheWrite = count; break;
        }
    }

    private enum Field
    {
        Other,
        Input,
        Output,
        Reasoning,
        CacheRead,
        CacheWrite,
        Details,
    }
}
