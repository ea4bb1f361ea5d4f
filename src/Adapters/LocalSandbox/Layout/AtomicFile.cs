namespace Coordinator.Adapters.LocalSandbox.Layout;

/// <summary>Files that are there whole or not at all, after a crash too.</summary>
internal static class AtomicFile
{
    public const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public const UnixFileMode Everyone = OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Writes beside the target, makes it durable, and renames. <paramref name="prepare"/> sees the file before it takes its name.</summary>
    public static void Write(string path, ReadOnlySpan<byte> bytes, UnixFileMode mode, Action<string>? prepare = null)
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
    }
}
