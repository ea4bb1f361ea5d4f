using System.Text.Json;
using System.Text.Json.Serialization;
using Coordinator.Sandbox.Bridge;

namespace Coordinator.Sandbox.Storage;

/// <summary>
/// The box's own record of what it was asked to run: a line of JSON per change, on disk before anything is done about
/// it. A prompt that stands here is never run again, whoever crashed in between.
/// </summary>
internal sealed class MessageLedger : IDisposable
{
    private const int CompactAboveLines = 512;
    private const int MaxKept = 2_000;

    private readonly IBoxFile file;
    private long length;

    private MessageLedger(IBoxFile file, long length, IReadOnlyList<LedgerEntry> entries) => (this.file, this.length, Entries) = (file, length, entries);

    /// <summary>What was found at opening, oldest message first.</summary>
    public IReadOnlyList<LedgerEntry> Entries { get; }

    /// <summary>Opens the file, cutting off a line that a crash left unfinished.</summary>
    public static MessageLedger Open(IBoxFiles files, string path)
    {
        var content = files.Read(path) ?? [];
        var whole = content.AsSpan().LastIndexOf((byte)'\n') + 1;
        var entries = new Dictionary<Ports.MessageId, LedgerEntry>();
        var lines = 0;
        foreach (var range in content.AsSpan(0, whole).Split((byte)'\n'))
        {
            lines++;
            if (Parse(content.AsSpan(range)) is { } entry) entries[entry.Id] = entry;
        }

        var kept = entries.Values.TakeLast(MaxKept).ToArray();
        if (lines > CompactAboveLines)
        {
            content = kept.SelectMany(Line).ToArray();
            whole = content.Length;
            files.Replace(path, content);
        }

        var file = files.Open(path, anew: false);
        if (file.Length > whole) file.CutAt(whole);
        return new(file, whole, kept);
    }

    /// <summary>Writes an entry; it is on disk when this returns.</summary>
    /// <exception cref="IOException">It is not: nothing must be done that stands on it.</exception>
    public void Write(LedgerEntry entry)
    {
        var line = Line(entry);
        file.Write(line, length);
        file.Flush();
        length += line.Length;
    }

    public void Dispose() => file.Dispose();

    private static byte[] Line(LedgerEntry entry) => [.. JsonSerializer.SerializeToUtf8Bytes(entry, LedgerJson.Default.LedgerEntry), (byte)'\n'];

    private static LedgerEntry? Parse(ReadOnlySpan<byte> line)
    {
        try
        {
            return line.IsEmpty ? null : JsonSerializer.Deserialize(line, LedgerJson.Default.LedgerEntry);
        }
        catch (JsonException)
        {
            // A line that a full disk cut in two; what follows it is whole.
            return null;
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(LedgerEntry))]
internal sealed partial class LedgerJson : JsonSerializerContext;
