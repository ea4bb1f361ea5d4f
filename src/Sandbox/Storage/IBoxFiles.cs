namespace Coordinator.Sandbox.Storage;

/// <summary>
/// The files that spool and ledger are kept in. What was written survives the program at once; it survives the machine
/// once it was flushed, with everything that was done to folders before, and until then in any part or not at all.
/// </summary>
internal interface IBoxFiles
{
    /// <summary>With all folders above it; nothing when it is there.</summary>
    void CreateFolder(string folder);

    bool HasFolder(string folder);

    IReadOnlyList<string> FoldersIn(string folder);

    IReadOnlyList<string> FilesIn(string folder);

    void DeleteFolder(string folder);

    void DeleteFile(string path);

    /// <summary>The whole file; null when there is none.</summary>
    byte[]? Read(string path);

    /// <summary>
    /// Replaces a small file: a crash leaves the old content or the new, never a part. When this returns it survives the
    /// machine, with everything that was done to its folder before.
    /// </summary>
    /// <exception cref="IOException">The file holds the old content, or the new and a power loss may bring the old back.</exception>
    void Replace(string path, ReadOnlySpan<byte> content);

    /// <summary>Opens a file, made if need be; <paramref name="anew"/>: without what was in it.</summary>
    IBoxFile Open(string path, bool anew);
}

/// <summary>One open file.</summary>
internal interface IBoxFile : IDisposable
{
    long Length { get; }

    /// <summary>Returns how much was read; 0 at the end.</summary>
    int Read(Span<byte> buffer, long offset);

    /// <exception cref="IOException">The disk is full or broken; a part may have been written.</exception>
    void Write(ReadOnlySpan<byte> content, long offset);

    void CutAt(long length);

    void Flush();
}
