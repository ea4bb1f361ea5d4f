using System.Text.Json;

namespace Coordinator.Modules.Models.Metering;

/// <summary>Which wire a call speaks, by the path it was made to.</summary>
internal enum CallWire
{
    OpenAiChat,
    OpenAiResponses,
    AnthropicMessages,
}

/// <summary>
/// Reads the usage out of one answer, given each event or body of it in turn, and says which event ends the stream.
/// What it cannot read is passed over: metering never breaks an answer.
/// </summary>
internal sealed class UsageMeter(CallWire wire)
{
    private readonly RawUsage usage = new();

    /// <summary>What was reported so far; null when nothing was.</summary>
    public TokenCounts? Counts => usage.IsEmpty ? null : usage.Normalize(inputIncludesCache: wire != CallWire.AnthropicMessages);

    /// <summary>Takes the data of one server-sent event; true when nothing that counts comes after it.</summary>
    public bool TakeEvent(ReadOnlySpan<byte> data) => wire switch
    {
        CallWire.OpenAiChat => TakeChatChunk(data),
        CallWire.OpenAiResponses => TakeResponseEvent(data),
        _ => TakeMessageEvent(data),
    };

    /// <summary>Takes an answer that is not a stream.</summary>
    public void TakeBody(ReadOnlySpan<byte> json) => ReadUsage(json, default);

    private bool TakeChatChunk(ReadOnlySpan<byte> data)
    {
        if (data.SequenceEqual("[DONE]"u8)) return true;
        if (data.IndexOf("\"usage\""u8) >= 0) ReadUsage(data, default);
        return false;
    }

    private bool TakeResponseEvent(ReadOnlySpan<byte> data)
    {
        if (data.IndexOf("\"response."u8) < 0) return false;
        if (!IsType(data, "response.completed"u8) && !IsType(data, "response.incomplete"u8) && !IsType(data, "response.failed"u8)) return false;
        ReadUsage(data, "response"u8);
        return true;
    }

    private bool TakeMessageEvent(ReadOnlySpan<byte> data)
    {
        if (data.IndexOf("\"message_"u8) < 0) return false;
        if (IsType(data, "message_start"u8)) ReadUsage(data, "message"u8);
        else if (IsType(data, "message_delta"u8)) ReadUsage(data, default);
        else return IsType(data, "message_stop"u8);
        return false;
    }

    private static bool IsType(ReadOnlySpan<byte> json, ReadOnlySpan<byte> type)
    {
        if (json.IndexOf(type) < 0) return false;
        try
        {
            var reader = new Utf8JsonReader(json);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return false;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isType = reader.ValueTextEquals("type"u8);
                reader.Read();
                if (isType) return reader.TokenType == JsonTokenType.String && reader.ValueTextEquals(type);
                reader.Skip();
            }
        }
        catch (JsonException)
        {
            // An event that is no JSON is not one that counts.
        }

        return false;
    }

    /// <summary>Reads <c>usage</c> at the root, or inside the root's <paramref name="holder"/> when one is named.</summary>
    private void ReadUsage(ReadOnlySpan<byte> json, ReadOnlySpan<byte> holder)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            if (reader.Read()) ReadUsage(ref reader, holder);
        }
        catch (JsonException)
        {
            // What stands so far stays.
        }
    }

    private void ReadUsage(ref Utf8JsonReader reader, ReadOnlySpan<byte> holder)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isUsage = holder.IsEmpty && reader.ValueTextEquals("usage"u8);
            var isHolder = !holder.IsEmpty && reader.ValueTextEquals(holder);
            reader.Read();
            if (isUsage) usage.Read(ref reader);
            else if (isHolder) ReadUsage(ref reader, default);
            else reader.Skip();
        }
    }
}
