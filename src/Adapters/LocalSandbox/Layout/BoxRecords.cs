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
        List<BoxRecord> records = [];
        foreach (var entry in EntriesOf(paths.BoxesOf(session)))
        {
            if (SandboxId.TryParse(Path.GetFileName(entry), out var sandbox) && Find(new(session, sandbox)) is { } record) records.Add(record);
        }

        return records;
    }

    /// <summary>The sessions that have boxes or data here.</summary>
    public IEnumerable<SessionId> Sessions()
    {
        foreach (var entry in EntriesOf(paths.Sessions))
        {
            if (SessionId.TryParse(Path.GetFileName(entry), out var session)) yield return session;
        }
    }

    /// <summary>All boxes known of.</summary>
    public IEnumerable<BoxRecord> All() => Sessions().SelectMany(Of);

    /// <summary>None where there is no such directory, also when it goes away just now: another host of this machine destroys boxes too.</summary>
    private static string[] EntriesOf(string directory)
    {
        try
        {
            return Directory.GetDirectories(directory);
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    }
}
