using System.Buffers;
using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

namespace Coordinator.Ports.Session;

/// <summary>
/// Packs records' events into a blob: a line that says of which session it is and which writing of it, then a line for each record with its
/// numbers, its time and its events as the bytes that were written. No two writings give the same bytes, though the records are the same: a
/// blob is named by its content, and whoever removes one of which nothing became, however late, must not remove what another has archived.
/// </summary>
public sealed class ArchiveWriter
{
    /// <summary>An archive takes no more records once it holds so much: what a reader of one event of it must unpack, and has in memory.</summary>
    public const int FullBytes = 2 * 1024 * 1024;

    private readonly SessionKey key;
    private readonly long firstSeq;
    private readonly ArrayBufferWriter<byte> lines = new();
    private long lastSeq;

    /// <summary>Begins one of a session, with the event <paramref name="firstSeq"/>; no other <paramref name="writing"/> is called so.</summary>
    public ArchiveWriter(SessionKey key, long firstSeq, Guid writing)
    {
        (this.key, this.firstSeq, lastSeq) = (key, firstSeq, firstSeq - 1);
        Write($"{{\"format\":{EventArchive.JsonLines},\"organization\":\"{key.Organization}\",\"session\":\"{key.Session}\",\"firstSeq\":{firstSeq},\"writing\":\"{writing:N}\"}}\n");
    }

    /// <summary>Whether it has taken in no record yet.</summary>
    public bool IsEmpty => lastSeq < firstSeq;

    /// <summary>Whether it is to be finished before the next record.</summary>
    public bool IsFull => lines.WrittenCount >= FullBytes;

    /// <summary>Takes in the next record that holds events.</summary>
    /// <exception cref="PortException"><see cref="PortFailureKind.Corrupt"/>: it does not hold the events that it says it does.</exception>
    public void Add(JournalRecord record)
    {
        var batch = RecordEvents.Read(record);
        if (batch is null || record.LastSeq <= lastSeq) throw new PortException(PortFailureKind.Corrupt, $"Record {record.Version} cannot be archived: it holds no events of its own.");
        Write($"{{\"version\":{record.Version},\"firstSeq\":{record.FirstSeq},\"lastSeq\":{record.LastSeq},\"schema\":{record.Schema},\"codec\":{record.Codec},\"at\":\"{record.At.ToUniversalTime():O}\",\"facts\":[],\"events\":[");
        lines.Write(batch.Utf8.Span);
        lines.Write("]}\n"u8);
        lastSeq = record.LastSeq;
    }

    /// <summary>The archive, and the blob that it names.</summary>
    public (EventArchive Archive, ReadOnlyMemory<byte> Blob) Finish()
    {
        if (IsEmpty) throw new InvalidOperationException("An archive of no events is none.");
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true)) gzip.Write(lines.WrittenSpan);
        var blob = packed.GetBuffer().AsMemory(0, (int)packed.Length);
        return (new(key, firstSeq, lastSeq, EventArchive.JsonLines, Convert.ToHexStringLower(SHA256.HashData(blob.Span)), blob.Length, lines.WrittenCount), blob);
    }

    private void Write(FormattableString line) => lines.Write(Encoding.UTF8.GetBytes(line.ToString(CultureInfo.InvariantCulture)));
}
