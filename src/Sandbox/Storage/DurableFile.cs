namespace Coordinator.Sandbox.Storage;

/// <summary>Small files that are there whole or not at all.</summary>
internal static class DurableFile
{
    private const int NoSpace = 28;
    private const int QuotaExceeded = 122;

    /// <summary>Replaces a file: a crash leaves the old content or the new, never a part.</summary>
    public static void Replace(string path, ReadOnlySpan<byte> content)
    {
        var draft = path + ".new";
        using (var handle = File.OpenHandle(draft, FileMode.Create, FileAccess.Write))
        {
            RandomAccess.Write(handle, content, 0);
            RandomAccess.FlushToDisk(handle);
        }

        File.Move(draft, path, overwrite: true);
    }

    /// <summary>Whether a failure means that the disk, or this user's part of it, is full.</summary>
    public static bool IsFull(IOException exception) => (exception.HResult & 0xFFFF) is NoSpace or QuotaExceeded;
}
