using System.Runtime.InteropServices;

namespace Coordinator.Sandbox.Storage;

/// <summary>Small files that are there whole or not at all.</summary>
internal static partial class DurableFile
{
    private const int Interrupted = 4;
    private const int NotForThisFile = 22;
    private const int NoSpace = 28;
    private const int NotSupported = 95;
    private const int QuotaExceeded = 122;
    private const int ReadOnly = 0;
    private const int CloseOnExec = 0x80000;

    /// <summary>Replaces a file: a crash leaves the old content or the new, never a part; the new once this has returned.</summary>
    /// <exception cref="IOException">The file holds the old content, or the new and a power loss may bring the old back.</exception>
    public static void Replace(string path, ReadOnlySpan<byte> content) => Replace(path, content, FlushFolder);

    /// <param name="path">The file.</param>
    /// <param name="content">What it will hold.</param>
    /// <param name="flushFolder">Makes durable what a folder lists, and with it the new name.</param>
    public static void Replace(string path, ReadOnlySpan<byte> content, Action<string> flushFolder)
    {
        var draft = path + ".new";
        using (var handle = File.OpenHandle(draft, FileMode.Create, FileAccess.Write))
        {
            RandomAccess.Write(handle, content, 0);
            RandomAccess.FlushToDisk(handle);
        }

        File.Move(draft, path, overwrite: true);
        flushFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>Makes durable which files a folder lists. .NET opens no folders.</summary>
    /// <exception cref="IOException">The folder cannot be opened or flushed; the system's error number is in the result.</exception>
    public static void FlushFolder(string folder)
    {
        var descriptor = Repeat(() => Open(folder, ReadOnly | CloseOnExec));
        if (descriptor < 0) throw NotFlushed(folder);
        try
        {
            // A file system that flushes no folders says so, and keeps their order by its own means.
            if (Repeat(() => Flush(descriptor)) != 0 && Marshal.GetLastPInvokeError() is not (NotForThisFile or NotSupported)) throw NotFlushed(folder);
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    /// <summary>Whether a failure means that the disk, or this user's part of it, is full.</summary>
    public static bool IsFull(IOException exception) => (exception.HResult & 0xFFFF) is NoSpace or QuotaExceeded;

    private static int Repeat(Func<int> call)
    {
        while (true)
        {
            var result = call();
            if (result >= 0 || Marshal.GetLastPInvokeError() != Interrupted) return result;
        }
    }

    private static IOException NotFlushed(string folder) =>
        new($"The folder {folder} cannot be flushed: {Marshal.GetLastPInvokeErrorMessage()}.", Marshal.GetLastPInvokeError());

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Flush(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
