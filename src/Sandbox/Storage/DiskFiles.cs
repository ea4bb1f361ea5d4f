using Microsoft.Win32.SafeHandles;

namespace Coordinator.Sandbox.Storage;

/// <summary>The files of the machine.</summary>
internal sealed class DiskFiles : IBoxFiles
{
    public static DiskFiles Instance { get; } = new();

    public void CreateFolder(string folder) => Directory.CreateDirectory(folder);

    public bool HasFolder(string folder) => Directory.Exists(folder);

    public IReadOnlyList<string> FoldersIn(string folder) => Directory.GetDirectories(folder);

    public IReadOnlyList<string> FilesIn(string folder) => Directory.GetFiles(folder);

    public void DeleteFolder(string folder) => Directory.Delete(folder, recursive: true);

    public void DeleteFile(string path) => File.Delete(path);

    public byte[]? Read(string path) => File.Exists(path) ? File.ReadAllBytes(path) : null;

    public void Replace(string path, ReadOnlySpan<byte> content) => DurableFile.Replace(path, content);

    public IBoxFile Open(string path, bool anew) => new DiskFile(File.OpenHandle(path, anew ? FileMode.Create : FileMode.OpenOrCreate, FileAccess.ReadWrite));

    private sealed class DiskFile(SafeFileHandle handle) : IBoxFile
    {
        public long Length => RandomAccess.GetLength(handle);

        public int Read(Span<byte> buffer, long offset) => RandomAccess.Read(handle, buffer, offset);

        public void Write(ReadOnlySpan<byte> content, long offset) => RandomAccess.Write(handle, content, offset);

        public void CutAt(long length) => RandomAccess.SetLength(handle, length);

        public void Flush() => RandomAccess.FlushToDisk(handle);

        public void Dispose() => handle.Dispose();
    }
}
