using System.Text;

namespace Coordinator.Sandbox.Storage;

/// <summary>How much the spool may hold.</summary>
internal sealed record SpoolLimits(long MaxBytes = 64 * 1024 * 1024, long MaxMemoryBytes = 8 * 1024 * 1024, long SegmentBytes = 4 * 1024 * 1024);

/// <summary>
/// Keeps events on disk until they are acknowledged, numbered without gaps. A torn tail is cut off; any other damage
/// means a new spool under a new id. When the disk is full, events are kept in memory, within a bound, until those
/// before them are gone. Not safe for use by two threads at once.
/// </summary>
internal sealed class DiskSpool : IDisposable
{
    private const string CurrentFile = "current";

    private readonly IBoxFiles files;
    private readonly string root;
    private readonly SpoolLimits limits;
    private readonly LinkedList<SpoolSegment> segments = [];
    private readonly Dictionary<long, byte[]> inMemory = [];
    private long memoryBytes;

    private DiskSpool(IBoxFiles files, string root, string id, SpoolLimits limits) => (this.files, this.root, Id, this.limits) = (files, root, id, limits);

    public string Id { get; private set; }

    /// <summary>The last n that is not kept any more.</summary>
    public long AckedN { get; private set; }

    public long LastN { get; private set; }

    /// <summary>Bytes of the events that are kept.</summary>
    public long Bytes { get; private set; }

    /// <summary>False when nothing more should be appended but the few events that end things.</summary>
    public bool HasRoom => Bytes < limits.MaxBytes && memoryBytes < limits.MaxMemoryBytes;

    private string Folder => Path.Combine(root, Id);

    /// <summary>Opens what is there, or begins anew under an id from <paramref name="newId"/>.</summary>
    /// <exception cref="SpoolNotRenewedException">The disk takes no new one, and gives no old one: this program must end.</exception>
    public static DiskSpool Open(IBoxFiles files, string root, SpoolLimits limits, Func<string> newId)
    {
        try
        {
            files.CreateFolder(root);
            var id = files.Read(Path.Combine(root, CurrentFile)) is { } current ? Encoding.ASCII.GetString(current).Trim() : "";
            var spool = new DiskSpool(files, root, id, limits);
            if (id.Length == 0 || !spool.TryLoad()) spool.Begin(newId(), []);
            return spool;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new SpoolNotRenewedException(exception);
        }
    }

    public void Append(long n, ReadOnlyMemory<byte> body, bool durable)
    {
        if (n != LastN + 1) throw new InvalidOperationException($"Event {n} does not follow {LastN} in the spool.");
        if (inMemory.Count > 0 || !TryAppendToDisk(n, body, durable))
        {
            inMemory[n] = body.ToArray();
            memoryBytes += body.Length;
        }

        LastN = n;
        Bytes += body.Length;
    }

    /// <summary>True when this program's end would be the event's.</summary>
    public bool IsInMemoryAlone(long n) => inMemory.ContainsKey(n);

    /// <summary>The event's body. Only of a kept one.</summary>
    public byte[] Read(long n) => inMemory.TryGetValue(n, out var body) ? body : SegmentOf(n).Read(n);

    public void Trim(long n)
    {
        for (; AckedN < n && AckedN < LastN; AckedN++) Forget(AckedN + 1);
        DropAcknowledged();
        if (AckedN == LastN && segments.Last!.Value.Length > limits.SegmentBytes / 4) TryRotate();
    }

    /// <summary>Begins a new spool with the old one's events from <paramref name="keepFrom"/>, numbered from 1.</summary>
    /// <exception cref="SpoolNotRenewedException">The disk did not take it whole; it holds one of the two: this program must end.</exception>
    public void Renew(string id, long keepFrom)
    {
        var kept = new List<byte[]>();
        try
        {
            for (var n = Math.Max(keepFrom, AckedN + 1); n <= LastN; n++) kept.Add(Read(n));
            Begin(id, kept);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new SpoolNotRenewedException(exception);
        }
    }

    /// <summary>The sizes of the kept events, in order.</summary>
    public IEnumerable<int> Sizes()
    {
        for (var n = AckedN + 1; n <= LastN; n++) yield return inMemory.TryGetValue(n, out var body) ? body.Length : SegmentOf(n).LengthOf(n);
    }

    public void Dispose()
    {
        foreach (var segment in segments) segment.Dispose();
        segments.Clear();
    }

    private bool TryLoad()
    {
        if (!files.HasFolder(Folder)) return false;
        foreach (var segment in SpoolSegment.OpenAll(files, Folder)) segments.AddLast(segment);
        if (segments.LastOrDefault(segment => segment.IsStart) is { } start) DropBefore(start);
        var isWhole = segments.Count > 0;
        for (var node = segments.First; node?.Next is { } next; node = next) isWhole &= !node.Value.IsTorn && next.Value.FirstN == node.Value.LastN + 1;
        if (!isWhole)
        {
            Dispose();
            return false;
        }

        var last = segments.Last!.Value;
        if (last.IsTorn) last.Mend();
        (AckedN, LastN) = (segments.First!.Value.FirstN - 1, last.LastN);
        Bytes = Sizes().Sum(size => (long)size);
        return true;
    }

    private void Begin(string id, List<byte[]> kept)
    {
        Dispose();
        inMemory.Clear();
        (Id, AckedN, LastN, Bytes, memoryBytes) = (id, 0, 0, 0, 0);
        files.CreateFolder(Folder);
        segments.AddLast(SpoolSegment.Create(files, Folder, 1, isStart: false));
        foreach (var body in kept) Append(LastN + 1, body, durable: false);
        if (inMemory.Count > 0) throw new IOException("There is no room for the events that are kept."); // the old spool, which may have them, would go
        segments.Last!.Value.Flush(); // some of it was durable where it is taken from
        files.Replace(Path.Combine(root, CurrentFile), Encoding.ASCII.GetBytes(id));
        foreach (var folder in files.FoldersIn(root).Where(folder => folder != Folder)) files.DeleteFolder(folder);
    }

    private bool TryAppendToDisk(long n, ReadOnlyMemory<byte> body, bool durable)
    {
        try
        {
            if (segments.Last!.Value is var last && (last.Length >= limits.SegmentBytes || last.LastN != n - 1)) Rotate();
            segments.Last!.Value.Append(n, body.Span, durable);
            return true;
        }
        catch (IOException)
        {
            // Most likely full. Memory holds what matters until there is room, and HasRoom slows the agent down.
            return false;
        }
    }

    /// <summary>
    /// The full file is made durable: with a hole in the middle after a power loss, what is durable behind it would be lost too. A
    /// new file does not follow the last when events between them were in memory alone; all of that is acknowledged by then,
    /// and the file says so itself, since a power loss may keep it together with those it replaces.
    /// </summary>
    private void Rotate()
    {
        segments.Last!.Value.Flush();
        segments.AddLast(SpoolSegment.Create(files, Folder, LastN + 1, isStart: segments.Last.Value.LastN != LastN));
        DropAcknowledged();
    }

    /// <summary>Gives a large acknowledged file back; on a full disk there is time for it later.</summary>
    private void TryRotate()
    {
        try
        {
            Rotate();
        }
        catch (IOException)
        {
            return;
        }
    }

    /// <summary>Deletes what is acknowledged, but for the last segment: its name says where the spool stands.</summary>
    private void DropAcknowledged()
    {
        while (segments.First is { Next: { } next } first && first.Value.LastN <= AckedN) DropBefore(next.Value);
    }

    private void DropBefore(SpoolSegment start)
    {
        while (segments.First!.Value is var first && first != start)
        {
            segments.RemoveFirst();
            first.Delete();
        }
    }

    private void Forget(long n)
    {
        if (inMemory.Remove(n, out var body))
        {
            memoryBytes -= body.Length;
            Bytes -= body.Length;
            return;
        }

        Bytes -= SegmentOf(n).LengthOf(n);
    }

    private SpoolSegment SegmentOf(long n) => segments.First(segment => n >= segment.FirstN && n <= segment.LastN);
}

/// <summary>
/// The disk took no new spool. What the program holds in memory and what is on disk are two spools then, and one of them
/// would tell its events twice: so it ends, and what it had not told is told as lost.
/// </summary>
internal sealed class SpoolNotRenewedException(Exception inner) : Exception($"The disk does not take a new spool: {inner.Message}", inner);
