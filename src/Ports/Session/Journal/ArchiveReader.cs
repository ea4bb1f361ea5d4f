using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using Coordinator.Ports.Compute;

namespace Coordinator.Ports.Session;

/// <summary>
/// Unpacks what <see cref="ArchiveWriter"/> packed. Nothing is given before all of the blob is there and is what was stored;
/// anything else is a <see cref="PortFailureKind.Corrupt"/> failure, never a part of it.
/// </summary>
public static class ArchiveReader
{
    /// <summary>No archive is larger: a full one and the largest record that a journal takes, with room to spare.</summary>
    private const long MostBytes = 64L * 1024 * 1024;

    /// <summary>
    /// The records that were put in, in order, sharing the memory of all of them, without the facts, which their journal has.
    /// </summary>
    /// <exception cref="PortException"><see cref="PortFailureKind.Corrupt"/>: there is no blob, or it is another; and what the store throws.</exception>
    public static async ValueTask<IReadOnlyList<JournalRecord>> ReadAsync(IArtifactStore artifacts, EventArchive archive, CancellationToken cancellationToken)
    {
        if (archive.Format != EventArchive.JsonLines) throw Corrupt(archive, $"its format {archive.Format} is not known to this release");
        if (archive.Size is <= 0 or > MostBytes || archive.RawSize is <= 0 or > MostBytes) throw Corrupt(archive, "no archive has its size");
        try
        {
            return Records(archive, await UnpackAsync(artifacts, archive, cancellationToken));
        }
        catch (Exception failure) when (failure is InvalidDataException or JsonException or FormatException or InvalidOperationException)
        {
            throw Corrupt(archive, "it is not packed as archives are", failure);
        }
        catch (IOException failure)
        {
            throw new PortException(PortFailureKind.Unavailable, $"{Named(archive)} could not be read to its end.", inner: failure);
        }
    }

    private static async ValueTask<byte[]> UnpackAsync(IArtifactStore artifacts, EventArchive archive, CancellationToken cancellationToken)
    {
        await using var content = await artifacts.OpenAsync(archive.Key.Organization, archive.Sha256, cancellationToken)
            ?? throw Corrupt(archive, "the artifact store does not have it");
        var blob = await FillAsync(content, archive, archive.Size, cancellationToken);
        if (Convert.ToHexStringLower(SHA256.HashData(blob)) != archive.Sha256) throw Corrupt(archive, "its bytes are not those that its SHA-256 names");
        await using var unpacked = new GZipStream(new MemoryStream(blob, writable: false), CompressionMode.Decompress);
        return await FillAsync(unpacked, archive, archive.RawSize, cancellationToken);
    }

    /// <summary>Exactly as many bytes as there must be.</summary>
    private static async ValueTask<byte[]> FillAsync(Stream content, EventArchive archive, long size, CancellationToken cancellationToken)
    {
        var bytes = GC.AllocateUninitializedArray<byte>((int)size);
        var filled = await content.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken);
        if (filled != bytes.Length || await content.ReadAsync(new byte[1], cancellationToken) != 0) throw Corrupt(archive, $"it is not {size} bytes long");
        return bytes;
    }

    private static List<JournalRecord> Records(EventArchive archive, ReadOnlyMemory<byte> lines)
    {
        var records = new List<JournalRecord>();
        var last = archive.FirstSeq - 1;
        for (var rest = lines[Line(lines).Length..]; rest.Length > 0;)
        {
            var line = Line(rest);
            var record = Record(line);
            if (record.FirstSeq <= last || record.LastSeq < record.FirstSeq || record.LastSeq > archive.LastSeq || RecordEvents.Read(record) is null)
                throw Corrupt(archive, $"record {record.Version} has no place in it");
            records.Add(record);
            (last, rest) = (record.LastSeq, rest[line.Length..]);
        }

        return last == archive.LastSeq ? records : throw Corrupt(archive, $"it ends with event {last}");
    }

    /// <summary>The first value of what is left, and the end of its line: a text within it may have line ends of its own between its tokens.</summary>
    private static ReadOnlyMemory<byte> Line(ReadOnlyMemory<byte> rest)
    {
        var reader = new Utf8JsonReader(rest.Span);
        reader.Read();
        reader.Skip();
        var end = (int)reader.BytesConsumed;
        return rest[..(end < rest.Length && rest.Span[end] == (byte)'\n' ? end + 1 : end)];
    }

    /// <summary>A line is a record's payload, with its numbers before it.</summary>
    private static JournalRecord Record(ReadOnlyMemory<byte> line)
    {
        var record = new JournalRecord(0, 0, 0, 0, 0, line, default);
        var reader = new Utf8JsonReader(line.Span);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString();
            reader.Read();
            record = name switch
            {
                "version" => record with { Version = reader.GetInt64() },
                "firstSeq" => record with { FirstSeq = reader.GetInt64() },
                "lastSeq" => record with { LastSeq = reader.GetInt64() },
                "schema" => record with { Schema = reader.GetInt16() },
                "codec" => record with { Codec = reader.GetInt16() },
                "at" => record with { At = reader.GetDateTimeOffset() },
                _ => record,
            };
            reader.Skip();
        }

        return record;
    }

    private static string Named(EventArchive archive) => $"The archive of events {archive.FirstSeq} to {archive.LastSeq} of session {archive.Key} (artifact {archive.Sha256})";

    private static PortException Corrupt(EventArchive archive, string why, Exception? inner = null) => new(PortFailureKind.Corrupt, $"{Named(archive)} cannot be read: {why}.", inner: inner);
}
