using Coordinator.Adapters.LocalSandbox.Linux;

namespace Coordinator.Adapters.LocalSandbox.Layout;

/// <summary>Files that are there whole or not at all, after a crash too.</summary>
internal static class AtomicFile
{
    public const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public const UnixFileMode Everyone = OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Writes beside the target, makes it durable, renames, and makes the new name durable. <paramref name="prepare"/> sees the file before it takes its name.</summary>
    public static void Write(string path, ReadOnlySpan<byte> bytes, UnixFileMode mode, Action<string>? prepare = null) => Write(path, bytes, mode, prepare, Native.FlushFolder);

    /// <param name="path">The file.</param>
    /// <param name="bytes">What it will hold.</param>
    /// <param name="mode">Who may read it.</param>
    /// <param name="prepare">Sees the file before it takes its name.</param>
    /// <param name="flushFolder">Makes durable what a folder lists.</param>
    public static void Write(string path, ReadOnlySpan<byte> bytes, UnixFileMode mode, Action<string>? prepare, Action<string> flushFolder)
    {
        var next = $"{path}.{Environment.ProcessId}.next";
        File.Delete(next);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly };
        using (var file = new FileStream(next, options))
        {
            file.Write(bytes);
            file.Flush(flushToDisk: true);
        }

        prepare?.Invoke(next);
        File.SetUnixFileMode(next, mode);
        File.Move(next, path, overwrite: true);
        flushFolder(Path.GetDirectoryName(path)!);
    }
}
