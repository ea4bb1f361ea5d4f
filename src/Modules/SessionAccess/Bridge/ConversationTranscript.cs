using System.Text;
using System.Text.Json;
using Coordinator.Ports;

namespace Coordinator.Modules.SessionAccess.Bridge;

/// <summary>
/// Folds a session's events into what a new agent is told: for each message that ran before, what was asked and what was
/// answered. The newest about 48 KiB are kept; what is left out is said. What a box says is journaled as it came, so a piece of
/// text that makes no sense is passed over.
/// </summary>
internal sealed class ConversationTranscript(MessageId upTo)
{
    public const int MaxLength = 48 * 1024;

    private const int MaxTurnLength = 16 * 1024;

    private readonly string current = upTo.ToString();
    private readonly Dictionary<string, string> asked = new(StringComparer.Ordinal);
    private readonly Queue<string> turns = new();
    private Turn? open;
    private int length;
    private bool cut;

    /// <summary>Takes one event envelope, in order.</summary>
    public void Add(ReadOnlyMemory<byte> envelope)
    {
        if (!Concerns(envelope.Span)) return;
        using var document = JsonDocument.Parse(envelope);
        var root = document.RootElement;
        if (!root.TryGetProperty("messageId", out var id) || id.GetString() is not { } message) return;
        var data = root.GetProperty("data");
        switch (root.GetProperty("type").GetString())
        {
            case "message.queued" or "message.edited":
                asked[message] = data.GetProperty("text").GetString() ?? string.Empty;
                break;
            case "message.started" when message != current:
                Close();
                open = new(message, asked.GetValueOrDefault(message, string.Empty));
                break;
            case "agent.text" when open?.Message == message:
                open.Add(data);
                break;
            case "message.completed" or "message.failed" or "message.cancelled" when open?.Message == message:
                open.Outcome = root.GetProperty("type").GetString()!["message.".Length..];
                Close();
                break;
        }
    }

    /// <summary>The whole, delimited; null when nothing ran before.</summary>
    public string? Write()
    {
        Close();
        if (turns.Count == 0) return null;
        var text = new StringBuilder(length + 512);
        text.Append("This is the conversation so far, as it was recorded before this environment was made anew. It has already happened: do not answer it again.\n<conversation>\n");
        if (cut) text.Append("(Earlier turns are left out.)\n");
        foreach (var turn in turns) text.Append(turn);
        return text.Append("</conversation>\n").ToString();
    }

    private void Close()
    {
        if (open is null) return;
        var turn = open.ToString();
        open = null;
        turns.Enqueue(turn);
        length += turn.Length;
        while (length > MaxLength && turns.Count > 1)
        {
            length -= turns.Dequeue().Length;
            cut = true;
        }
    }

    /// <summary>Whether the envelope is of a type that is folded, found without reading all of it.</summary>
    private static bool Concerns(ReadOnlySpan<byte> envelope)
    {
        var reader = new Utf8JsonReader(envelope);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isType = reader.ValueTextEquals("type"u8);
            reader.Read();
            if (isType)
            {
                return reader.ValueTextEquals("agent.text"u8) || reader.ValueTextEquals("message.queued"u8) || reader.ValueTextEquals("message.edited"u8)
                    || reader.ValueTextEquals("message.started"u8) || reader.ValueTextEquals("message.completed"u8)
                    || reader.ValueTextEquals("message.failed"u8) || reader.ValueTextEquals("message.cancelled"u8);
            }

            reader.Skip();
        }

        return false;
    }

    private sealed class Turn(string message, string question)
    {
        private readonly List<string> order = [];
        private readonly Dictionary<string, StringBuilder> parts = new(StringComparer.Ordinal);

        public string Message { get; } = message;

        public string Outcome { get; set; } = "interrupted";

        public void Add(JsonElement data)
        {
            if (Read(data) is not var (part, at, piece)) return;
            if (!parts.TryGetValue(part, out var text))
            {
                order.Add(part);
                parts[part] = text = new();
            }

            if (at < text.Length) text.Length = at.Value;
            text.Append(piece);
        }

        /// <summary>Null when it is no piece of text; without an offset it goes on where its part ends.</summary>
        private static (string Part, int? Offset, string Text)? Read(JsonElement data)
        {
            try
            {
                int? offset = null;
                if (data.TryGetProperty("offset", out var at))
                {
                    if (at.ValueKind != JsonValueKind.Number || !at.TryGetInt32(out var units) || units < 0) return null;
                    offset = units;
                }

                var isPiece = data.TryGetProperty("part", out var part) & data.TryGetProperty("text", out var text);
                return isPiece && part.ValueKind == JsonValueKind.String && text.ValueKind == JsonValueKind.String ? (part.GetString()!, offset, text.GetString()!) : null;
            }
            catch (InvalidOperationException)
            {
                return null; // a name or a text in it is no Unicode
            }
        }

        public override string ToString()
        {
            var answer = Newest(string.Join("\n\n", order.Select(part => parts[part].ToString())));
            return $"<user>\n{Newest(question)}\n</user>\n<assistant outcome=\"{Outcome}\">\n{answer}\n</assistant>\n";
        }

        private static string Newest(string text)
        {
            if (text.Length <= MaxTurnLength) return text;
            var from = text.Length - MaxTurnLength;
            if (char.IsLowSurrogate(text[from])) from++;
            return string.Concat("…", text.AsSpan(from));
        }
    }
}
