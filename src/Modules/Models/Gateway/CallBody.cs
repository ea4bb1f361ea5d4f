using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Coordinator.Modules.Models.Gateway;

/// <summary>
/// The body of a model call, as far as the gateway must understand it: which model it names and whether it streams. The
/// rest passes through byte for byte. A property that counts here and stands twice is refused, because two readers would
/// choose differently between them.
/// </summary>
internal sealed class CallBody
{
    private const int DeepestNesting = 256;

    private readonly ReadOnlyMemory<byte> json;
    private readonly Range modelValue;
    private readonly Range? streamOptions;

    private CallBody(ReadOnlyMemory<byte> json, string model, Range modelValue, bool streams, Range? streamOptions)
    {
        (this.json, Model, this.modelValue, Streams, this.streamOptions) = (json, model, modelValue, streams, streamOptions);
    }

    /// <summary>The model as the agent named it: without the provider.</summary>
    public string Model { get; }

    public bool Streams { get; }

    /// <summary>False, and why, for what is not the JSON object of a model call.</summary>
    public static bool TryRead(ReadOnlyMemory<byte> json, [NotNullWhen(true)] out CallBody? body, [NotNullWhen(false)] out string? wrong)
    {
        (body, wrong) = (null, null);
        try
        {
            wrong = Read(json, out body);
        }
        catch (JsonException)
        {
            wrong = "The body is not valid JSON.";
        }
        catch (InvalidOperationException)
        {
            wrong = "The body holds text that is not valid UTF-8.";
        }

        return wrong is null;
    }

    /// <summary>
    /// The body for the upstream: its own model name, and, when <paramref name="askForUsage"/>, the wish to be told the
    /// usage of a stream, whatever the agent wished.
    /// </summary>
    public ReadOnlyMemory<byte> ForUpstream(string upstreamModel, bool askForUsage)
    {
        var model = JsonSerializer.SerializeToUtf8Bytes(upstreamModel, ModelsJson.Default.String);
        var edits = new List<(Range Place, ReadOnlyMemory<byte> Text)> { (modelValue, model) };
        if (askForUsage && Streams)
        {
            if (streamOptions is { } place) edits.Add((place, WithUsage(json[place])));
            else edits.Add((modelValue.End..modelValue.End, ",\"stream_options\":{\"include_usage\":true}"u8.ToArray()));
        }

        edits.Sort((left, right) => left.Place.Start.Value.CompareTo(right.Place.Start.Value));
        var output = new ArrayBufferWriter<byte>(json.Length + model.Length + 64);
        var from = 0;
        foreach (var (place, text) in edits)
        {
            output.Write(json.Span[from..place.Start.Value]);
            output.Write(text.Span);
            from = place.End.Value;
        }

        output.Write(json.Span[from..]);
        return output.WrittenMemory;
    }

    private static string? Read(ReadOnlyMemory<byte> json, out CallBody? body)
    {
        body = null;
        string? model = null;
        Range? modelValue = null, streamOptions = null;
        bool? streams = null;
        var reader = new Utf8JsonReader(json.Span, new JsonReaderOptions { MaxDepth = DeepestNesting });
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return "The body is not a JSON object.";
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isModel = reader.ValueTextEquals("model"u8);
            var isStream = reader.ValueTextEquals("stream"u8);
            var isOptions = reader.ValueTextEquals("stream_options"u8);
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            if ((isModel && model is not null) || (isStream && streams is not null) || (isOptions && streamOptions is not null)) return "The body names model, stream or stream_options twice.";
            if (isModel)
            {
                if (reader.TokenType != JsonTokenType.String) return "The body's model is not a string.";
                model = reader.GetString();
                modelValue = start..(int)reader.BytesConsumed;
            }
            else if (isStream)
            {
                if (reader.TokenType is not (JsonTokenType.True or JsonTokenType.False or JsonTokenType.Null)) return "The body's stream is neither true nor false.";
                streams = reader.TokenType == JsonTokenType.True;
            }
            else
            {
                reader.Skip();
                if (isOptions) streamOptions = start..(int)reader.BytesConsumed;
            }
        }

        if (reader.Read()) return "The body is more than one JSON value.";
        if (string.IsNullOrEmpty(model)) return "The body names no model.";
        body = new(json, model, modelValue!.Value, streams ?? false, streamOptions);
        return null;
    }

    private static ReadOnlyMemory<byte> WithUsage(ReadOnlyMemory<byte> given)
    {
        var output = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(output))
        {
            writer.WriteStartObject();
            using var options = JsonDocument.Parse(given);
            if (options.RootElement.ValueKind == JsonValueKind.Object)
            {
                foreach (var property in options.RootElement.EnumerateObject().Where(property => !property.NameEquals("include_usage"u8))) property.WriteTo(writer);
            }

            writer.WriteBoolean("include_usage"u8, true);
            writer.WriteEndObject();
        }

        return output.WrittenMemory;
    }
}
