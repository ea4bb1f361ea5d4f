using System.Text.Json;
using Coordinator.Ports;

namespace Coordinator.Adapters.LocalSandbox.Layout;

/// <summary>Reads and writes the records of boxes.</summary>
internal sealed class BoxRecords(BoxPaths paths)
{
    /// <summary>The record of a box; null when there is none.</summary>
    /// <exception cref="PortException"><see cref="PortFailureKind.Corrupt"/>: it is there and cannot be read.</exception>
    public BoxRecord? Find(BoxAddress box)
    {
        var file = paths.Of(box).Record;
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(file), BoxRecordJson.Default.BoxRecord);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (JsonException e)
        {
            throw new PortException(PortFailureKind.Corrupt, $"The record of {box.Sandbox} cannot be read: {file}.", inner: e);
        }
    }

    /// <summary>Writes a record, whole and durable or not at all.</summary>
    public void Write(BoxRecord record) =>
        AtomicFile.Write(paths.Of(record.Address).Record, JsonSerializer.SerializeToUtf8Bytes(record, BoxRecordJson.Default.BoxRecord), AtomicFile.OwnerOnly);

    /// <summary>The boxes of one session that are known of, whatever their state.</summary>
    public IReadOnlyList<BoxRecord> Of(SessionId session)
    {
        var directory = paths.BoxesOf(session);
        if (!Directory.Exists(directory)) return [];
        List<BoxRecord> records = [];
        foreach (var entry in Directory.EnumerateDirectories(directory))
        {
            if (SandboxId.TryParse(Path.GetFileName(entry), out var sandbox) && Find(new(session, sandbox)) is { } record) records.Add(record);
        }

        return records;
    }

    /// <summary>The sessions that have boxes or data here.</summary>
    public IEnumerable<SessionId> Sessions()
    {
        if (!Directory.Exists(paths.Sessions)) yield break;
        foreach (var entry in Directory.EnumerateDirectories(paths.Sessions))
        {
            if (SessionId.TryParse(Path.GetFileName(entry), out var session)) yield return session;
        }
    }

    /// <summary>All boxes known of.</summary>
    public IEnumerable<BoxRecord> All() => Sessions().SelectMany(Of);
}
