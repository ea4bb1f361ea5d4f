using System.Buffers.Binary;
using System.Globalization;

namespace Coordinator.Sandbox.Storage;

/// <summary>
/// One file of the spool: records one after another, each <c>length (4) · n (8) · crc (4) · body</c>, little-endian. Its
/// name is the n it begins with, so that an empty segment still says where the spool stands; and whether anything before it is kept,
/// since numbers that are missing before it would be damage otherwise.
/// </summary>
internal sealed class SpoolSegment : IDisposable
{
    private const string Extension = ".seg";
    private const string StartExtension = ".start" + Extension;
    private const int HeaderBytes = 16;
    private const int MaxBodyBytes = 256 * 1024;

    private readonly IBoxFiles files;
    private readonly IBoxFile file;
    private readonly List<(long Offset, int Length)> records = [];

    private SpoolSegment(IBoxFiles files, string path, long firstN, bool anew)
    {
        (Path, FirstN, this.files, file) = (path, firstN, files, files.Open(path, anew));
        IsStart = path.EndsWith(StartExtension, StringComparison.Ordinal);
    }

    public string Path { get; }

    public long FirstN { get; }

    /// <summary>True when everything before it was acknowledged as it was made, whatever still lies there.</summary>
    public bool IsStart { get; }

    public long LastN => FirstN + records.Count - 1;

    public long Length { get; private set; }

    public static SpoolSegment Create(IBoxFiles files, string folder, long firstN, bool isStart) =>
        new(files, System.IO.Path.Combine(folder, firstN.ToString("D20", CultureInfo.InvariantCulture) + (isStart ? StartExtension : Extension)), firstN, anew: true);

    /// <summary>The segments of a folder in order.</summary>
    public static IEnumerable<SpoolSegment> OpenAll(IBoxFiles files, string folder) =>
        files.FilesIn(folder).Where(path => path.EndsWith(Extension, StringComparison.Ordinal)).Order(StringComparer.Ordinal)
            .Select(path => long.TryParse(System.IO.Path.GetFileName(path).Split('.')[0], CultureInfo.InvariantCulture, out var firstN) ? Open(files, path, firstN) : null)
            .OfType<SpoolSegment>();

    private static SpoolSegment Open(IBoxFiles files, string path, long firstN)
    {
        var segment = new SpoolSegment(files, path, firstN, anew: false);
        segment.Scan();
        return segment;
    }

    /// <summary>Whether bytes follow the last whole record: the mark of a write that a crash cut off.</summary>
    public bool IsTorn { get; private set; }

    /// <summary>Cuts off what a crash left of a record.</summary>
    public void Mend()
    {
        file.CutAt(Length);
        IsTorn = false;
    }

    public void Append(long n, ReadOnlySpan<byte> body, bool durable)
    {
        Span<byte> record = new byte[HeaderBytes + body.Length];
        BinaryPrimitives.WriteInt32LittleEndian(record, body.Length);
        BinaryPrimitives.WriteInt64LittleEndian(record[4..], n);
        BinaryPrimitives.WriteUInt32LittleEndian(record[12..], Checksum.Of(n, body));
        body.CopyTo(record[HeaderBytes..]);
        file.Write(record, Length);
        if (durable) file.Flush();
        records.Add((Length + HeaderBytes, body.Length));
        Length += record.Length;
    }

    public void Flush() => file.Flush();

    public byte[] Read(long n)
    {
        var (offset, length) = records[(int)(n - FirstN)];
        var body = new byte[length];
        ReadFully(body, offset);
        return body;
    }

    public int LengthOf(long n) => records[(int)(n - FirstN)].Length;

    public void Dispose() => file.Dispose();

    public void Delete()
    {
        file.Dispose();
        files.DeleteFile(Path);
    }

    private void Scan()
    {
        var size = file.Length;
        Span<byte> header = stackalloc byte[HeaderBytes];
        while (Length + HeaderBytes <= size)
        {
            if (!ReadFully(header, Length)) break;
            var length = BinaryPrimitives.ReadInt32LittleEndian(header);
            var n = BinaryPrimitives.ReadInt64LittleEndian(header[4..]);
            if (length is < 0 or > MaxBodyBytes || n != LastN + 1 || Length + HeaderBytes + length > size) break;
            var body = new byte[length];
            if (!ReadFully(body, Length + HeaderBytes) || Checksum.Of(n, body) != BinaryPrimitives.ReadUInt32LittleEndian(header[12..])) break;
            records.Add((Length + HeaderBytes, length));
            Length += HeaderBytes + length;
        }

        IsTorn = Length < size;
    }

    private bool ReadFully(Span<byte> buffer, long offset)
    {
        while (buffer.Length > 0)
        {
            var read = file.Read(buffer, offset);
            if (read == 0) return false;
            buffer = buffer[read..];
            offset += read;
        }

        return true;
    }
}
