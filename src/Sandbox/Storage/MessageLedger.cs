using System.Text.Json;
using System.Text.Json.Serialization;
using Coordinator.Sandbox.Bridge;
using Microsoft.Win32.SafeHandles;

namespace Coordinator.Sandbox.Storage;

/// <summary>
/// The box's own record of what it was asked to run: a line of JSON per change, on disk before anything is done about
/// it. A prompt that stands here is never run again, whoever crashed in between.
/// </summary>
internal sealed class MessageLedger : IDisposable
{
    private const int CompactAboveLines = 512;
    private const int MaxKept = 2_000;

    private readonly SafeFileHandle handle;
    private long length;

    private MessageLedger(SafeFileHandle handle, long length, IReadOnlyList<LedgerEntry> entries) => (this.handle, this.length, Entries) = (handle, length, entries);

    /// <summary>What was found at opening, oldest message first.</summary>
    public IReadOnlyList<LedgerEntry> Entries { get; }

    /// <summary>Opens the file, cutting off a line that a crash left unfinished.</summary>
    public static MessageLedger Open(string path)
    {
        var content = File.Exists(path) ? File.ReadAllBytes(path) : [];
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
            DurableFile.Replace(path, content);
        }

        var handle = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite);
        if (RandomAccess.GetLength(handle) > whole) RandomAccess.SetLength(handle, whole);
        return new(handle, whole, kept);
    }

    /// <summary>Writes an entry; it is on disk when this returns.</summary>
    /// <exception cref="IOException">It is not: nothing must be done that stands on it.</exception>
    public void Write(LedgerEntry entry)
    {
        var line = Line(entry);
        RandomAccess.Write(handle, line, length);
        RandomAccess.FlushToDisk(handle);
        length += line.Length;
    }

    public void Dispose() => handle.Dispose();

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
