using System.Text.Json;
using Coordinator.Ports;

namespace Coordinator.Adapters.LocalSandbox.Layout;

/// <summary>Reads and writes the records of boxes.</summary>
internal sealed class BoxRecords(BoxPaths paths)
{
    /// <summary>The record of a box, or what stands in for a damaged one; null when there is none.</summary>
    public BoxRecord? Find(BoxAddress box)
    {
        var files = paths.Of(box);
        try
        {
            return Read(File.ReadAllBytes(files.Record), box) ?? DamagedRecord.Of(files, box);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Writes a record, whole and durable or not at all. A damaged one stays as it is: what stands in for it would pass for the whole truth.</summary>
    public void Write(BoxRecord record)
    {
        if (record.IsDamaged) return;
        AtomicFile.Write(paths.Of(record.Address).Record, JsonSerializer.SerializeToUtf8Bytes(record, BoxRecordJson.Default.BoxRecord), AtomicFile.OwnerOnly);
    }

    /// <summary>The boxes of one session that are known of, whatever their state.</summary>
    public IReadOnlyList<BoxRecord> Of(SessionId session)
    {
        List<BoxRecord> records = [];
        foreach (var box in BoxesOf(session))
        {
            if (Find(box) is { } record) records.Add(record);
        }

        return records;
    }

    /// <summary>The boxes of a session by their folders.</summary>
    public IEnumerable<BoxAddress> BoxesOf(SessionId session)
    {
        foreach (var entry in EntriesOf(paths.BoxesOf(session)))
        {
            if (SandboxId.TryParse(Path.GetFileName(entry), out var sandbox)) yield return new(session, sandbox);
        }
    }

    /// <summary>The sessions that have boxes or data here.</summary>
    public IEnumerable<SessionId> Sessions()
    {
        foreach (var entry in EntriesOf(paths.Sessions))
        {
            if (SessionId.TryParse(Path.GetFileName(entry), out var session)) yield return session;
        }
    }

    /// <summary>All boxes known of. One whose files fail keeps no other from being told.</summary>
    public BoxSurvey Survey()
    {
        List<BoxRecord> records = [];
        List<BoxAddress> unread = [];
        foreach (var box in Sessions().SelectMany(BoxesOf))
        {
            try
            {
                if (Find(box) is { } record) records.Add(record);
            }
            catch (Exception e) when (DiskFailure.Is(e))
            {
                unread.Add(box);
            }
        }

        return new(records, unread);
    }

    /// <summary>Null when it is no record, or that of another box.</summary>
    private static BoxRecord? Read(byte[] bytes, BoxAddress box)
    {
        try
        {
            return JsonSerializer.Deserialize(bytes, BoxRecordJson.Default.BoxRecord) is { Labels: not null } record && record.Address == box ? record : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

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

/// <summary>What a look at all boxes found. Of <see cref="Unread"/> not even that much can be told now: a folder or file cannot be opened.</summary>
internal sealed record BoxSurvey(IReadOnlyList<BoxRecord> Records, IReadOnlyList<BoxAddress> Unread);
