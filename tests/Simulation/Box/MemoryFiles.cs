using Coordinator.Sandbox.Storage;
using Coordinator.Tests.Simulation.World;

namespace Coordinator.Tests.Simulation.Box;

/// <summary>
/// The files of a box, as a journaling file system keeps them: what is written survives the program; a flush makes its file
/// durable, and all that was done to folders before; when the power goes, what was done to folders since is there up to some
/// point, and what was written and not flushed is there, gone, torn, or full of zeros.
/// </summary>
internal sealed class MemoryFiles(Dice dice, bool flushesNothing = false) : IBoxFiles
{
    private readonly List<Action<Tree>> pending = [];
    private Tree live = new();
    private Tree durable = new();

    /// <summary>Files do not grow any more.</summary>
    public bool IsFull
    {
        get;
        set
        {
            field = value;
            WasFull |= value;
        }
    }

    /// <summary>There was a time when what was to be written may have been kept elsewhere.</summary>
    public bool WasFull { get; private set; }

    public void CreateFolder(string folder)
    {
        if (!live.Folders.Contains(folder)) Do(tree => tree.Folders.Add(folder));
    }

    public bool HasFolder(string folder) => live.Folders.Contains(folder);

    public IReadOnlyList<string> FoldersIn(string folder) => [.. live.Folders.Where(path => Path.GetDirectoryName(path) == folder)];

    public IReadOnlyList<string> FilesIn(string folder) => [.. live.Files.Keys.Where(path => Path.GetDirectoryName(path) == folder)];

    public void DeleteFolder(string folder) => Do(tree =>
    {
        tree.Folders.Remove(folder);
        foreach (var path in tree.Files.Keys.Where(path => Path.GetDirectoryName(path) == folder).ToArray()) tree.Files.Remove(path);
    });

    public void DeleteFile(string path) => Do(tree => tree.Files.Remove(path));

    public byte[]? Read(string path) => live.Files.GetValueOrDefault(path)?.Live.ToArray();

    public void Replace(string path, ReadOnlySpan<byte> content)
    {
        if (IsFull) throw Full();
        var file = new Content();
        file.Write(content, 0);
        Flush(file);
        Do(tree => tree.Files[path] = file);
        FlushFolders();
    }

    public IBoxFile Open(string path, bool anew)
    {
        if (anew || !live.Files.TryGetValue(path, out var file))
        {
            file = new();
            Do(tree => tree.Files[path] = file);
        }

        return new Handle(this, file);
    }

    /// <summary>The machine loses its power and comes back.</summary>
    public void LosePower()
    {
        foreach (var change in pending.Take(dice.Below(pending.Count + 1))) change(durable);
        pending.Clear();
        durable = durable.Copy(file => file.AfterPowerLoss(dice));
        live = durable.Copy(file => file);
    }

    /// <summary>All of it, as it is now.</summary>
    public MemoryFiles Copy()
    {
        var tree = live.Copy(file => file.Flushed());
        return new(dice) { durable = tree, live = tree.Copy(file => file), IsFull = IsFull };
    }

    /// <summary>One of the files of a kind, but not the last of them, goes or gets a wrong byte.</summary>
    public void Damage(string extension)
    {
        var paths = live.Files.Keys.Where(path => path.EndsWith(extension, StringComparison.Ordinal)).Order(StringComparer.Ordinal).SkipLast(1).ToArray();
        if (paths.Length == 0) return;
        var path = dice.Pick(paths);
        if (live.Files[path].Live.Length == 0 || dice.Percent(50)) live.Files.Remove(path);
        else live.Files[path] = live.Files[path].WithWrongByte(dice);
        durable = live.Copy(file => file);
        pending.Clear();
    }

    private static IOException Full() => new("No space left on device.", 28);

    private void Do(Action<Tree> change)
    {
        change(live);
        pending.Add(change);
    }

    private void Flush(Content file)
    {
        if (flushesNothing) return;
        file.Flush();
        FlushFolders();
    }

    private void FlushFolders()
    {
        if (flushesNothing) return;
        foreach (var change in pending) change(durable);
        pending.Clear();
    }

    private sealed class Handle(MemoryFiles files, Content file) : IBoxFile
    {
        public long Length => file.Live.Length;

        public int Read(Span<byte> buffer, long offset)
        {
            var left = file.Live[(int)Math.Min(offset, file.Live.Length)..];
            if (left.Length > buffer.Length) left = left[..buffer.Length];
            left.CopyTo(buffer);
            return left.Length;
        }

        public void Write(ReadOnlySpan<byte> content, long offset)
        {
            if (files.IsFull && offset + content.Length > Length) throw Full();
            file.Write(content, (int)offset);
        }

        public void CutAt(long length) => file.CutAt((int)length);

        public void Flush() => files.Flush(file);

        public void Dispose()
        {
        }
    }

    private sealed class Tree
    {
        public SortedSet<string> Folders { get; private init; } = new(StringComparer.Ordinal);

        public SortedDictionary<string, Content> Files { get; } = new(StringComparer.Ordinal);

        public Tree Copy(Func<Content, Content> copied)
        {
            var copy = new Tree { Folders = new(Folders, StringComparer.Ordinal) };
            foreach (var (path, file) in Files) copy.Files.Add(path, copied(file));
            return copy;
        }
    }

    /// <summary>The bytes of a file: as programs see them, and as they are on the platter.</summary>
    private sealed class Content
    {
        private byte[] live = [];
        private byte[] flushed = [];
        private int length;
        private int flushedLength;
        private int sameUpTo;

        public ReadOnlySpan<byte> Live => live.AsSpan(0, length);

        public void Write(ReadOnlySpan<byte> content, int offset)
        {
            if (live.Length < offset + content.Length) Array.Resize(ref live, Math.Max(256, 2 * (offset + content.Length)));
            content.CopyTo(live.AsSpan(offset));
            length = Math.Max(length, offset + content.Length);
            sameUpTo = Math.Min(sameUpTo, offset);
        }

        public void CutAt(int at) => (length, sameUpTo) = (at, Math.Min(sameUpTo, at));

        public void Flush()
        {
            if (flushed.Length < length) Array.Resize(ref flushed, live.Length);
            live.AsSpan(sameUpTo, length - sameUpTo).CopyTo(flushed.AsSpan(sameUpTo));
            (flushedLength, sameUpTo) = (length, length);
        }

        public Content Flushed()
        {
            var copy = new Content();
            copy.Write(Live, 0);
            copy.Flush();
            return copy;
        }

        public Content AfterPowerLoss(Dice dice)
        {
            var left = new Content();
            left.Write(flushed.AsSpan(0, flushedLength), 0);
            var tail = Live[Math.Min(length, flushedLength)..];
            if (tail.Length > 0 && sameUpTo >= flushedLength && dice.Percent(60))
            {
                var whole = dice.Below(tail.Length + 1);
                left.Write(tail[..whole], flushedLength);
                if (dice.Percent(30)) left.Write(new byte[tail.Length - whole], flushedLength + whole);
            }

            left.Flush();
            return left;
        }

        public Content WithWrongByte(Dice dice)
        {
            var wrong = Flushed();
            wrong.live[dice.Below(wrong.length)] ^= 0x10;
            wrong.sameUpTo = 0;
            wrong.Flush();
            return wrong;
        }
    }
}
