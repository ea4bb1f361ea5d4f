using Coordinator.Sandbox.Storage;

namespace Coordinator.Tests.Modules.Box.Storage;

/// <summary>Real files that may be full, and that tell which of them a power loss would tear.</summary>
internal sealed class WatchedFiles : IBoxFiles
{
    private readonly DiskFiles files = DiskFiles.Instance;
    private readonly SortedSet<string> unflushed = new(StringComparer.Ordinal);

    /// <summary>Small files take no new content.</summary>
    public bool IsFull { get; set; }

    /// <summary>There is room for a small file, and for no event.</summary>
    public bool IsFullForEvents { get; set; }

    public IReadOnlyCollection<string> Unflushed => unflushed;

    public IReadOnlyList<string> UnflushedWhenReplaced { get; private set; } = [];

    public void CreateFolder(string folder) => files.CreateFolder(folder);

    public bool HasFolder(string folder) => files.HasFolder(folder);

    public IReadOnlyList<string> FoldersIn(string folder) => files.FoldersIn(folder);

    public IReadOnlyList<string> FilesIn(string folder) => files.FilesIn(folder);

    public void DeleteFolder(string folder)
    {
        files.DeleteFolder(folder);
        unflushed.RemoveWhere(path => Path.GetDirectoryName(path) == folder);
    }

    public void DeleteFile(string path)
    {
        files.DeleteFile(path);
        unflushed.Remove(path);
    }

    public byte[]? Read(string path) => files.Read(path);

    public void Replace(string path, ReadOnlySpan<byte> content)
    {
        if (IsFull) throw new IOException("No space left on device.");
        UnflushedWhenReplaced = [.. unflushed.Where(other => !other.Contains("/old/", StringComparison.Ordinal))];
        files.Replace(path, content);
    }

    public IBoxFile Open(string path, bool anew) => new WatchedFile(this, path, files.Open(path, anew));

    private sealed class WatchedFile(WatchedFiles files, string path, IBoxFile file) : IBoxFile
    {
        public long Length => file.Length;

        public int Read(Span<byte> buffer, long offset) => file.Read(buffer, offset);

        public void Write(ReadOnlySpan<byte> content, long offset)
        {
            if (files.IsFullForEvents) throw new IOException("No space left on device.");
            files.unflushed.Add(path);
            file.Write(content, offset);
        }

        public void CutAt(long length) => file.CutAt(length);

        public void Flush()
        {
            file.Flush();
            files.unflushed.Remove(path);
        }

        public void Dispose() => file.Dispose();
    }
}
