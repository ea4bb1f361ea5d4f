using System.Globalization;
using System.Text;
using System.Text.Json;
using Coordinator.Modules.Sessions.Events;
using Coordinator.Ports;
using Coordinator.Ports.Session;

namespace Coordinator.Tests.Modules.Journal;

/// <summary>What agents say, made up from a seed: pieces of several messages and parts in every cut, what comes between them, and what looks like a piece and is none.</summary>
internal sealed class MadeUpTalk
{
    private static readonly string[] Pieces = ["Hello", " ", "wörld", "🦊", "", "\\\"quoted\\\"", "\\n", "\\u0041\\u00e9", "\\ud83e\\udd8a", "\\ud83e", "名前", new string('x', 700)];
    private static readonly DateTimeOffset Noon = new(2026, 3, 4, 12, 0, 0, TimeSpan.Zero);

    private readonly Random random;
    private readonly Dictionary<string, long> ends = [];
    private long seq;

    public MadeUpTalk(int seed, int events, int longest = 12)
    {
        random = new(seed);
        while (Envelopes.Count < events) Say(longest);
    }

    public List<ReadOnlyMemory<byte>> Envelopes { get; } = [];

    public static MessageId Message(int number) => new(PrefixedId.Derive("talk", $"{number}"));

    /// <summary>The text of every part, by the rule that clients follow: a lower offset overwrites from there.</summary>
    public static Dictionary<string, string> Texts(IEnumerable<ReadOnlyMemory<byte>> envelopes)
    {
        var texts = new Dictionary<string, string>();
        foreach (var envelope in envelopes)
        {
            using var read = JsonDocument.Parse(envelope);
            var root = read.RootElement;
            if (!root.TryGetProperty("data", out var data) || !data.TryGetProperty("text", out var piece) || !data.TryGetProperty("offset", out var at)) continue;
            var key = $"{root.GetProperty("type")} {(root.TryGetProperty("messageId", out var id) ? id.GetString() : null)} {data.GetProperty("part")}";
            var (text, offset) = (texts.GetValueOrDefault(key, string.Empty), at.GetInt32());
            texts[key] = (offset < text.Length ? text[..offset] : text) + UnescapedUnits(piece);
        }

        return texts;
    }

    /// <summary>The numbers that an envelope covers.</summary>
    public static (long From, long Seq) RangeOf(ReadOnlyMemory<byte> envelope)
    {
        using var read = JsonDocument.Parse(envelope);
        var last = read.RootElement.GetProperty("seq").GetInt64();
        return (read.RootElement.TryGetProperty("from", out var from) ? from.GetInt64() : last, last);
    }

    /// <summary>Cut into records at random, some of them without an event.</summary>
    public List<JournalRecord> Records()
    {
        var records = new List<JournalRecord>();
        for (var taken = 0; taken < Envelopes.Count;)
        {
            var some = Math.Min(random.Next(0, 4), Envelopes.Count - taken);
            var payload = $$"""{"facts":[{"fact":"bridgeAdvanced","n":{{records.Count}}, "odd":1.50}],"events":[{{string.Join(',', Envelopes.GetRange(taken, some).Select(Text))}}]}""";
            records.Add(new(records.Count + 1, taken + 1, taken + some, JournalRecord.CurrentSchema, RecordEvents.JsonCodec, Encoding.UTF8.GetBytes(payload), Noon));
            taken += some;
        }

        return records;
    }

    public static string Text(ReadOnlyMemory<byte> utf8) => Encoding.UTF8.GetString(utf8.Span);

    private void Say(int longest)
    {
        switch (random.Next(12))
        {
            case 0:
                Show("tool.started", 1, """{"callId":"c","tool":"bash","input":{"text":"a","offset":0,"part":"p"}}""");
                break;
            case 1:
                Show("agent.text", 1, """{"part":"p0","offset":3,"text":"over"}""");
                break;
            case 2:
                Show("agent.text", 1, """{"part":"p0","offset":0,"text":"more is known of it","tone":"calm"}""");
                break;
            case 3:
                Show("agent.text", null, """{"part":"p0","offset":0,"text":"of no message"}""");
                break;
            default:
                Stream(longest);
                break;
        }
    }

    private void Stream(int longest)
    {
        var (message, part, type) = (random.Next(2), random.Next(2), random.Next(4) == 0 ? "agent.reasoning" : "agent.text");
        var key = string.Create(CultureInfo.InvariantCulture, $"{message} {part} {type}");
        for (var pieces = random.Next(1, longest); pieces > 0; pieces--)
        {
            var piece = Pieces[random.Next(Pieces.Length)];
            var offset = ends.GetValueOrDefault(key);
            Show(type, message, random.Next(2) == 0
                ? $$"""{"part":"p{{part}}","offset":{{offset}},"text":"{{piece}}"}"""
                : $$"""{ "text": "{{piece}}", "offset": {{offset}}, "part": "p{{part}}" }""");
            ends[key] = offset + UnitsOf(piece);
        }
    }

    private void Show(string type, int? message, string data)
    {
        var buffer = new EventBuffer();
        buffer.Append(1 + (int)(seq / 50), ++seq, Noon.AddMilliseconds(seq * 7), type, message is { } of ? Message(of) : null, Encoding.UTF8.GetBytes(data));
        Envelopes.Add(buffer.Utf8.ToArray());
    }

    private static int UnitsOf(string piece)
    {
        using var read = JsonDocument.Parse($"\"{piece}\"");
        return UnescapedUnits(read.RootElement).Length;
    }

    /// <summary>As a browser reads it, half characters too, which this platform's strings from JSON do not take.</summary>
    private static string UnescapedUnits(JsonElement text)
    {
        var raw = text.GetRawText()[1..^1];
        var units = new StringBuilder();
        for (var i = 0; i < raw.Length; i++)
        {
            if (raw[i] != '\\')
            {
                units.Append(raw[i]);
            }
            else if (raw[++i] == 'u')
            {
                units.Append((char)ushort.Parse(raw.AsSpan(i + 1, 4), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
                i += 4;
            }
            else
            {
                units.Append(raw[i] == 'n' ? '\n' : raw[i]);
            }
        }

        return units.ToString();
    }
}
